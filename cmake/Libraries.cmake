# Libraries of the distribution, found by pkg-config: linked as shared objects, or as archives into
# targets that have the property SOCKPROOF_STATIC.

# Makes `target` of the MODULES. A module without an archive needs `static`, a target that stands in.
function(sockproof_library target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "STATIC" "MODULES")
  pkg_check_modules(found REQUIRED QUIET ${arg_MODULES})
  set(shared "")
  set(archives ${arg_STATIC})
  foreach(name IN LISTS found_LIBRARIES)
    find_library(shared_of_${name} NAMES lib${name}.so HINTS ${found_LIBRARY_DIRS} REQUIRED)
    list(APPEND shared ${shared_of_${name}})
    if(NOT arg_STATIC)
      find_library(archive_of_${name} NAMES lib${name}.a HINTS ${found_LIBRARY_DIRS})
      list(APPEND archives ${archive_of_${name}})
    endif()
    mark_as_advanced(shared_of_${name} archive_of_${name})
  endforeach()
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} INTERFACE ${found_INCLUDE_DIRS})
  set(static $<BOOL:$<TARGET_PROPERTY:SOCKPROOF_STATIC>>)
  target_link_libraries(${target} INTERFACE
    "$<${static}:${archives}>" "$<$<NOT:${static}>:${shared}>")
endfunction()
