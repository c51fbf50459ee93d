# Flags live on INTERFACE targets; every library, program and test of the project is made by one of the functions below.

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

find_program(POLYPTYCH_CCACHE ccache)
if(POLYPTYCH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # A precompiled header and ccache agree only with the sloppiness. Base folder and no folder in the hash: presets with the same
  # flags, and other clones, share what was compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime"
      "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" "CCACHE_NOHASHDIR=true" ${POLYPTYCH_CCACHE})
endif()

add_library(polyptych_flags INTERFACE)
target_compile_features(polyptych_flags INTERFACE cxx_std_20)
target_compile_options(polyptych_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -fno-math-errno
  $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
target_include_directories(polyptych_flags INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_definitions(polyptych_flags INTERFACE POLYPTYCH_VERSION="${PROJECT_VERSION}")
if(POLYPTYCH_WERROR)
  target_compile_options(polyptych_flags INTERFACE -Werror)
endif()
if(POLYPTYCH_SANITIZE STREQUAL "address+undefined")
  set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
elseif(POLYPTYCH_SANITIZE STREQUAL "thread")
  set(sanitizers -fsanitize=thread -fno-omit-frame-pointer)
elseif(NOT POLYPTYCH_SANITIZE STREQUAL "")
  message(FATAL_ERROR "POLYPTYCH_SANITIZE is '${POLYPTYCH_SANITIZE}': give nothing, address+undefined or thread")
endif()
target_compile_options(polyptych_flags INTERFACE ${sanitizers})
target_link_options(polyptych_flags INTERFACE ${sanitizers})

add_library(polyptych_qt_flags INTERFACE)
target_compile_definitions(polyptych_qt_flags INTERFACE QT_NO_KEYWORDS QT_NO_CAST_TO_ASCII QT_NO_FOREACH
  QT_DISABLE_DEPRECATED_BEFORE=0x060400)

# polyptych_library(<folder> [QT] SOURCES file... [LINKS target...] [PRIVATE_LINKS target...])
# Makes the static library polyptych_<folder>. QT: runs moc and sets the project's Qt definitions.
function(polyptych_library folder)
  cmake_parse_arguments(arg "QT" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  set(target polyptych_${folder})
  add_library(${target} STATIC ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${target} PUBLIC polyptych_flags ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS})
  if(arg_QT)
    set_target_properties(${target} PROPERTIES AUTOMOC ON)
    target_link_libraries(${target} PUBLIC polyptych_qt_flags)
  endif()
endfunction()

# polyptych_program(<name> [QT] SOURCES file... LINKS target...)
function(polyptych_program name)
  cmake_parse_arguments(arg "QT" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE polyptych_flags ${arg_LINKS})
  if(arg_QT)
    set_target_properties(${name} PROPERTIES AUTOMOC ON)
    target_link_libraries(${name} PRIVATE polyptych_qt_flags)
  endif()
endfunction()

# polyptych_test(<tst_name> LABEL unit|process|ui|torch SOURCES file... LINKS target... [TIMEOUT seconds])
# A Qt Test program; home, settings and runtime folders are made temporary by tests/support/run_isolated.
function(polyptych_test name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "SOURCES;LINKS;ENVIRONMENT" ${ARGN})
  if(NOT arg_SOURCES)
    set(arg_SOURCES ${name}.cpp)
  endif()
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES AUTOMOC ON RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  target_link_libraries(${name} PRIVATE polyptych_flags polyptych_qt_flags ${arg_LINKS} Qt6::Test)
  # Only in front of the sources themselves: what moc makes of them apart would have to read all of Qt Test for nothing.
  foreach(source IN LISTS arg_SOURCES)
    set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS -include "${CMAKE_SOURCE_DIR}/tests/support/compare_enums.h")
  endforeach()
  add_test(NAME ${name} COMMAND "${CMAKE_SOURCE_DIR}/tests/support/run_isolated" $<TARGET_FILE:${name}>)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABEL}" TIMEOUT ${arg_TIMEOUT}
    ENVIRONMENT "QT_QPA_PLATFORM=offscreen;LC_ALL=C.UTF-8;${arg_ENVIRONMENT}")
endfunction()

# polyptych_fuzzer(<fuzz_name> SOURCES file... LINKS target... CORPUS folder)
# With POLYPTYCH_FUZZERS (clang): a libFuzzer program under <build>/fuzz. The libraries it links carry the same instrumentation.
# Without: a test of the same name with _corpus behind it, which gives the target every file of its corpus once.
function(polyptych_fuzzer name)
  cmake_parse_arguments(arg "" "CORPUS" "SOURCES;LINKS" ${ARGN})
  get_filename_component(corpus "${arg_CORPUS}" ABSOLUTE)
  if(NOT POLYPTYCH_FUZZERS)
    set(test ${name}_corpus)
    add_executable(${test} ${arg_SOURCES} "${CMAKE_SOURCE_DIR}/tests/support/replay_corpus.cpp")
    set_target_properties(${test} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
    target_link_libraries(${test} PRIVATE polyptych_flags ${arg_LINKS})
    add_test(NAME ${test} COMMAND "${CMAKE_SOURCE_DIR}/tests/support/run_isolated" $<TARGET_FILE:${test}> "${corpus}")
    set_tests_properties(${test} PROPERTIES LABELS unit TIMEOUT 60 ENVIRONMENT "LC_ALL=C.UTF-8")
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
  target_link_libraries(${name} PRIVATE polyptych_flags ${arg_LINKS})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  # packaging/test reads the folder's place from here.
  file(WRITE "${CMAKE_BINARY_DIR}/fuzz/${name}.corpus" "${corpus}\n")
  set_property(GLOBAL APPEND PROPERTY POLYPTYCH_FUZZER_LIST ${name})
endfunction()
if(POLYPTYCH_FUZZERS)
  target_compile_options(polyptych_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(polyptych_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
