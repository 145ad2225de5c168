# The CMake verbs of the project: a folder says what it holds, this file says how it is built.

# Everything TableGen and protoc make: any source may include any of it, so every target waits for all of it.
add_custom_target(graven-headers)

# MLIR's headers take most of the time a source takes. They are parsed, and their templates instantiated, once.
# The compiler cache knows the precompiled header by a hash of its text, so that it serves other checkouts too.
option(GRAVEN_PRECOMPILED "Compile the common headers once" ON)
set(GRAVEN_PCH ${CMAKE_BINARY_DIR}/graven.pch)
set(GRAVEN_PCH_FLAGS -fpch-instantiate-templates -Winvalid-pch)
add_custom_target(graven-pch)

# graven_precompile(): after the last graven_dialect, in the folder whose flags all sources share
function(graven_precompile)
  get_directory_property(options COMPILE_OPTIONS)
  get_directory_property(definitions COMPILE_DEFINITIONS)
  list(FILTER options EXCLUDE REGEX "COMPILE_LANGUAGE")
  list(TRANSFORM definitions PREPEND -D)
  separate_arguments(flags NATIVE_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_RELEASE}")
  set(header ${CMAKE_SOURCE_DIR}/tools/cmake/Precompiled.h)
  set(compile ${CMAKE_CXX_COMPILER} ${definitions} -I${CMAKE_SOURCE_DIR} -I${CMAKE_BINARY_DIR}
    -isystem ${LLVM_INCLUDE_DIR} ${flags} ${options} -fPIC -fno-exceptions -std=c++20)
  add_custom_command(OUTPUT ${GRAVEN_PCH}
    COMMAND ${compile} ${GRAVEN_PCH_FLAGS} -Xclang -fno-pch-timestamp -MD -MF ${GRAVEN_PCH}.d -MT graven.pch
            -x c++-header ${header} -o ${GRAVEN_PCH}
    COMMAND ${compile} -E -P -x c++ ${header} -o ${GRAVEN_PCH}.sum
    DEPENDS ${header} graven-headers DEPFILE ${GRAVEN_PCH}.d
    COMMENT "Precompiling the common headers" VERBATIM COMMAND_EXPAND_LISTS)
  add_custom_target(graven-pch-file DEPENDS ${GRAVEN_PCH})
  add_dependencies(graven-pch graven-pch-file)
endfunction()

# The C++ sources of a target use the precompiled header.
function(graven_use_pch target)
  add_dependencies(${target} graven-headers)
  if(NOT GRAVEN_PRECOMPILED)
    return()
  endif()
  add_dependencies(${target} graven-pch)
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANGUAGE:CXX>:-include-pch;${GRAVEN_PCH};${GRAVEN_PCH_FLAGS}>")
  # Programs as well as libraries take the -fPIC of the global flags: -fPIE would be another header.
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.cpp$")
  set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${GRAVEN_PCH})
endfunction()

# By its build ID the kernel cache knows which compiler made an entry.
add_link_options(LINKER:--build-id)

# LLVM and MLIR as one: their shared libraries, which link fast, or, for a program with the property
# GRAVEN_STATIC_LLVM, their archives. Loading the shared ones and relocating their 350 000 addresses takes three times
# as long as compiling a small model.
option(GRAVEN_STATIC "Link the program graven to LLVM's archives" ON)
file(GLOB GRAVEN_LLVM_ARCHIVES ${LLVM_LIBRARY_DIR}/libMLIR*.a ${LLVM_LIBRARY_DIR}/libLLVM*.a)
list(FILTER GRAVEN_LLVM_ARCHIVES EXCLUDE REGEX "MLIRCAPI")
if(NOT GRAVEN_LLVM_ARCHIVES)
  set(GRAVEN_STATIC OFF)
endif()
add_library(GravenLLVM INTERFACE)
target_link_libraries(GravenLLVM INTERFACE
  "$<IF:$<BOOL:$<TARGET_PROPERTY:GRAVEN_STATIC_LLVM>>,${GRAVEN_LLVM_ARCHIVES},MLIR;LLVM>")

# graven_system_library(NAME SHARED archive): a library of the system, as the shared one or, for a program with the
# property GRAVEN_STATIC_SYSTEM, as its archive.
function(graven_system_library name shared archive)
  find_library(GRAVEN_ARCHIVE_${name} ${archive})
  mark_as_advanced(GRAVEN_ARCHIVE_${name})
  add_library(${name} INTERFACE)
  if(NOT GRAVEN_ARCHIVE_${name})
    set_property(GLOBAL PROPERTY GRAVEN_ARCHIVES_MISSING ON)
    target_link_libraries(${name} INTERFACE ${shared})
    return()
  endif()
  target_link_libraries(${name} INTERFACE
    $<IF:$<BOOL:$<TARGET_PROPERTY:GRAVEN_STATIC_SYSTEM>>,${GRAVEN_ARCHIVE_${name}},${shared}>)
endfunction()

# graven_library(NAME source... [DEPENDS target...] [LINK target...])
# A static library of the sources beside the CMakeLists.txt, linked to MLIR.
function(graven_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  add_library(Graven::${name} ALIAS ${name})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} GravenLLVM)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  graven_use_pch(${name})
endfunction()

# graven_executable(NAME source... LINK target...)
function(graven_executable name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GravenLLVM)
  target_link_options(${name} PRIVATE -fuse-ld=lld)
  graven_use_pch(${name})
  set_property(GLOBAL APPEND PROPERTY GRAVEN_EXECUTABLES ${name})
endfunction()

# graven_unit_test(NAME source... LINK target... [NO_MLIR]): a GoogleTest program, one ctest test for each of its cases
function(graven_unit_test name)
  cmake_parse_arguments(ARG "NO_MLIR" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest_main)
  target_link_options(${name} PRIVATE -fuse-ld=lld)
  if(NOT ARG_NO_MLIR)
    graven_use_pch(${name})
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  gtest_discover_tests(${name} TEST_PREFIX ${name}/ DISCOVERY_MODE PRE_TEST
    PROPERTIES ENVIRONMENT "GRAVEN_CACHE_DIR=")
  set_property(GLOBAL APPEND PROPERTY GRAVEN_UNIT_TESTS ${name})
endfunction()

# graven_dialect(NAME td DIALECT name [ATTRS] [ENUMS] [INTERFACES td])
# Declarations and definitions of the dialect, its ops and, where asked, attributes, enums and op interfaces.
function(graven_dialect name td)
  cmake_parse_arguments(ARG "ATTRS;ENUMS" "DIALECT;INTERFACES" "" ${ARGN})
  set(LLVM_TARGET_DEFINITIONS ${td}.td)
  mlir_tablegen(${td}.h.inc -gen-op-decls)
  mlir_tablegen(${td}.cpp.inc -gen-op-defs)
  mlir_tablegen(${td}Dialect.h.inc -gen-dialect-decls -dialect=${ARG_DIALECT})
  mlir_tablegen(${td}Dialect.cpp.inc -gen-dialect-defs -dialect=${ARG_DIALECT})
  if(ARG_ATTRS)
    mlir_tablegen(${td}Attrs.h.inc -gen-attrdef-decls -attrdefs-dialect=${ARG_DIALECT})
    mlir_tablegen(${td}Attrs.cpp.inc -gen-attrdef-defs -attrdefs-dialect=${ARG_DIALECT})
  endif()
  if(ARG_ENUMS)
    mlir_tablegen(${td}Enums.h.inc -gen-enum-decls)
    mlir_tablegen(${td}Enums.cpp.inc -gen-enum-defs)
  endif()
  if(ARG_INTERFACES)
    set(LLVM_TARGET_DEFINITIONS ${ARG_INTERFACES}.td)
    mlir_tablegen(${ARG_INTERFACES}.h.inc -gen-op-interface-decls)
    mlir_tablegen(${ARG_INTERFACES}.cpp.inc -gen-op-interface-defs)
  endif()
  add_public_tablegen_target(${name}IncGen)
  add_dependencies(graven-headers ${name}IncGen)
endfunction()

# graven_passes(NAME group): declarations and registration of the passes in Passes.td
function(graven_passes name group)
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name=${group})
  add_public_tablegen_target(${name}IncGen)
  add_dependencies(graven-headers ${name}IncGen)
endfunction()

# graven_doc(target td output generator...): a reference page under <build>/docs/generated
function(graven_doc target td output)
  set(LLVM_TARGET_DEFINITIONS ${td})
  tablegen(MLIR ${output} ${ARGN})
  set(dir ${CMAKE_BINARY_DIR}/docs/generated)
  add_custom_command(OUTPUT ${dir}/${output}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${dir}
    COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_BINARY_DIR}/${output} ${dir}/${output}
    DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/${output})
  add_custom_target(${target} DEPENDS ${dir}/${output})
  if(NOT TARGET graven-doc)
    add_custom_target(graven-doc)
  endif()
  add_dependencies(graven-doc ${target})
endfunction()
