# What most of the code includes is read once: `sockproof_headers` for harness and src,
# `sockproof_test_headers` for tests and `sockproof_suite_headers` for suites, both without optimisation.
# sockproof_use_headers() gives the headers of one of them to all targets of this folder and below that
# have none yet.

if(NOT SOCKPROOF_PRECOMPILE)
  return()
endif()

# A test is some system calls in a row: what counts is that it compiles quickly.
set(SOCKPROOF_TEST_OPTIONS -O0)
# Precompiled headers are taken only where these are defined alike.
target_compile_definitions(sockproof_options INTERFACE FMT_SHARED GTEST_HAS_PTHREAD=1)

set(common_headers <algorithm> <filesystem> <fstream> <functional> <map> <memory> <optional> <set> <sstream>
  <string> <string_view> <thread> <variant> <vector> <fmt/format.h> <nlohmann/json.hpp>)

function(sockproof_precompile name)
  add_library(${name} OBJECT ${CMAKE_SOURCE_DIR}/cmake/precompiled.cc)
  target_link_libraries(${name} PRIVATE
    sockproof_options nlohmann_json::nlohmann_json fmt::fmt GTest::gmock)
  target_precompile_headers(${name} PRIVATE ${common_headers} ${ARGN})
endfunction()

sockproof_precompile(sockproof_headers)
sockproof_precompile(sockproof_test_headers <gmock/gmock.h>)
sockproof_precompile(sockproof_suite_headers <gmock/gmock.h> ${CMAKE_SOURCE_DIR}/harness/test/test.h)
target_compile_options(sockproof_test_headers PRIVATE ${SOCKPROOF_TEST_OPTIONS})
target_compile_options(sockproof_suite_headers PRIVATE ${SOCKPROOF_TEST_OPTIONS})

function(sockproof_use_headers headers folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    get_target_property(sources ${target} SOURCES)
    get_target_property(has_one ${target} PRECOMPILE_HEADERS_REUSE_FROM)
    if(type MATCHES "LIBRARY|EXECUTABLE" AND NOT type STREQUAL "INTERFACE_LIBRARY"
       AND sources MATCHES "\\.cc" AND NOT sources MATCHES "nothing\\.c" AND NOT has_one)
      target_precompile_headers(${target} REUSE_FROM ${headers})
    endif()
  endforeach()
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(below IN LISTS folders)
    sockproof_use_headers(${headers} ${below})
  endforeach()
endfunction()
