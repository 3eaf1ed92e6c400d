# What most of the code includes is read once: `sockproof_headers` for harness and src,
# `sockproof_test_headers` for suites and tests, which are compiled without optimisation.
# sockproof_use_headers() gives the headers of one of them to all targets of this folder and below that
# have none yet.

if(SOCKPROOF_PRECOMPILE)
  # A test is some system calls in a row: what counts is that it compiles quickly.
  set(SOCKPROOF_TEST_OPTIONS -O0)
  # Precompiled headers are taken only where these are defined alike.
  target_compile_definitions(sockproof_options INTERFACE FMT_SHARED GTEST_HAS_PTHREAD=1)
endif()

add_library(sockproof_headers OBJECT ${CMAKE_SOURCE_DIR}/cmake/precompiled.cc)
target_link_libraries(sockproof_headers PRIVATE
  sockproof_options nlohmann_json::nlohmann_json fmt::fmt)
target_precompile_headers(sockproof_headers PRIVATE
  <algorithm> <filesystem> <fstream> <functional> <map> <memory> <optional> <set> <sstream> <string>
  <string_view> <thread> <variant> <vector> <fmt/format.h> <nlohmann/json.hpp>)

add_library(sockproof_test_headers OBJECT ${CMAKE_SOURCE_DIR}/cmake/precompiled.cc)
target_link_libraries(sockproof_test_headers PRIVATE
  sockproof_options nlohmann_json::nlohmann_json fmt::fmt GTest::gmock)
target_compile_options(sockproof_test_headers PRIVATE ${SOCKPROOF_TEST_OPTIONS})
target_precompile_headers(sockproof_test_headers PRIVATE
  <algorithm> <filesystem> <fstream> <functional> <map> <memory> <optional> <set> <sstream> <string>
  <string_view> <thread> <variant> <vector> <fmt/format.h> <gmock/gmock.h> <nlohmann/json.hpp>)

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
