# One standard, one set of warnings, for every target of the tree.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(YIKATONG_CCACHE ccache)
if(YIKATONG_CCACHE)
  # It learns what a file includes from the dependencies that the compiler writes for Ninja, and so does
  # not run the preprocessor over everything before it. The two sloppinesses are what it asks for with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${YIKATONG_CCACHE})
endif()

find_program(YIKATONG_MOLD mold)
if(YIKATONG_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(yikatong_options INTERFACE)
target_include_directories(yikatong_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
# Two warnings are left to the sanitizers and clang-tidy: GCC 12 gives them for its own std::string, depending on what it
# inlines (its bugs 105329 and 105651).
target_compile_options(yikatong_options INTERFACE
  -pthread -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Werror
  -Wno-array-bounds -Wno-restrict)
if(YIKATONG_SANITIZE)
  # What the instrumentation makes of a value that is set in one branch looks uninitialised to GCC; the other preset warns.
  add_compile_options(-fsanitize=${YIKATONG_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -Wno-maybe-uninitialized)
  add_link_options(-fsanitize=${YIKATONG_SANITIZE})
endif()
