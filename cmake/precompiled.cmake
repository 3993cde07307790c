# Headers of other people's libraries that most files read, parsed once: half of what a cold build did was to read them again
# for each file. None of ours is among them, so that a changed header rebuilds only who includes it.
#
# GCC takes a precompiled header only where code is made the same way: one for the product's libraries (-O2, -fPIC) and one
# for tests (-O0, -fPIE, with the test library). A file still includes what it uses: it is compiled without them in the preset
# `production`, and clang-tidy reads it without them.
option(YIKATONG_PRECOMPILE "Parse the headers of libraries once" ON)

# yikatong_precompiled(NAME HEADERS <a.h>… [OPTIONS …] [DEPS …]): what other targets name in yikatong_use_precompiled.
function(yikatong_precompiled name)
  cmake_parse_arguments(ARG "" "" "HEADERS;OPTIONS;DEPS" ${ARGN})
  file(CONFIGURE OUTPUT ${name}.cc CONTENT "// A target needs a source.\n")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  target_link_libraries(${name} PRIVATE yikatong_options ${ARG_DEPS})
  target_compile_options(${name} PRIVATE ${ARG_OPTIONS})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

function(yikatong_use_precompiled target name)
  if(YIKATONG_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()

if(YIKATONG_PRECOMPILE)
  set(headers
    <chrono> <cstdint> <filesystem> <functional> <map> <memory> <mutex> <optional> <string> <string_view> <thread>
    <unordered_map> <utility> <vector>
    <absl/status/status.h> <absl/status/statusor.h> <absl/strings/str_cat.h>
    <google/protobuf/message.h> <google/protobuf/timestamp.pb.h> <google/protobuf/util/message_differencer.h>
    <grpcpp/grpcpp.h> <grpcpp/impl/codegen/service_type.h> <grpcpp/support/async_stream.h>)
  yikatong_precompiled(yikatong_precompiled_libraries HEADERS ${headers} <pqxx/pqxx> DEPS gRPC::grpc++ PkgConfig::pqxx)
  yikatong_precompiled(yikatong_precompiled_tests HEADERS ${headers} <gmock/gmock.h> <gtest/gtest.h>
                       OPTIONS -O0 -fPIE DEPS gRPC::grpc++ GTest::gmock)  # as yikatong_compile_as_test
  set_target_properties(yikatong_precompiled_tests PROPERTIES POSITION_INDEPENDENT_CODE OFF)
endif()
