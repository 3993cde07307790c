# The few shapes that a target of this tree can have.

# yikatong_library(NAME SRCS a.cc… [DEPS private…] [PUBLIC_DEPS public…])
function(yikatong_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;PUBLIC_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SRCS})
  target_link_libraries(${name} PUBLIC yikatong_options ${ARG_PUBLIC_DEPS} PRIVATE ${ARG_DEPS})
  yikatong_use_precompiled(${name} yikatong_precompiled_libraries)
endfunction()

# What is tested is optimised, the tests are not: a third of the time of a cold build went there.
function(yikatong_compile_as_test target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${target} PRIVATE -O0 -fPIE)
  target_link_libraries(${target} PRIVATE GTest::gmock)
  yikatong_use_precompiled(${target} yikatong_precompiled_tests)
endfunction()

# yikatong_test_library(…): what several test binaries share; otherwise as yikatong_library.
function(yikatong_test_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;PUBLIC_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SRCS})
  target_link_libraries(${name} PUBLIC yikatong_options ${ARG_PUBLIC_DEPS} PRIVATE ${ARG_DEPS})
  yikatong_compile_as_test(${name})
endfunction()

# yikatong_binary(NAME SRCS main.cc… DEPS …): the executable lands in <build>/bin.
function(yikatong_binary name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE yikatong_options ${ARG_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# yikatong_test(NAME SRCS a_test.cc… DEPS … LABELS unit|integration [TIMEOUT s])
# One binary a room; ctest runs it whole, several binaries at a time.
function(yikatong_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SRCS;DEPS;LABELS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE yikatong_options ${ARG_DEPS} GTest::gtest_main)
  yikatong_compile_as_test(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
  set_property(TEST ${name} PROPERTY ENVIRONMENT "YIKATONG_SOURCE_DIR=${CMAKE_SOURCE_DIR};YIKATONG_BUILD_DIR=${CMAKE_BINARY_DIR}")
endfunction()

# yikatong_queries(TARGET NAMESPACE DIR): every DIR/sql/queries/<stem>.sql becomes a constant
# k<Stem> of type postgres::Query in "<DIR>/sql/queries.h", and every DIR/sql/migrations/*.sql a row of
# kMigrations there. The stem is also the name of the prepared statement.
function(yikatong_queries target namespace)
  file(GLOB sql_files CONFIGURE_DEPENDS
       ${CMAKE_CURRENT_SOURCE_DIR}/sql/queries/*.sql ${CMAKE_CURRENT_SOURCE_DIR}/sql/migrations/*.sql)
  set(header ${CMAKE_CURRENT_BINARY_DIR}/sql/queries.h)
  add_custom_command(OUTPUT ${header}
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/cmake/embed_sql.py
            ${namespace} ${CMAKE_CURRENT_SOURCE_DIR}/sql ${header}
    DEPENDS ${CMAKE_SOURCE_DIR}/cmake/embed_sql.py ${sql_files}
    DEPFILE ${header}.d VERBATIM)
  add_custom_target(${target}_queries DEPENDS ${header})
  add_dependencies(${target} ${target}_queries)
endfunction()
