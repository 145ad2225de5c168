# The CMake verbs of the project: a folder says what it holds, this file says how it is built.

# Everything TableGen and protoc make: any source may include any of it, so every target waits for all of it.
add_custom_target(graven-headers)

# graven_library(NAME source... [DEPENDS target...] [LINK target...])
# A static library of the sources beside the CMakeLists.txt, linked to MLIR.
function(graven_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  add_library(Graven::${name} ALIAS ${name})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  add_dependencies(${name} graven-headers)
endfunction()

# graven_executable(NAME source... LINK target...)
function(graven_executable name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
  target_link_options(${name} PRIVATE -fuse-ld=lld)
  set_property(GLOBAL APPEND PROPERTY GRAVEN_EXECUTABLES ${name})
endfunction()

# graven_unit_test(NAME source... LINK target...): a GoogleTest program, one ctest test for each of its cases
function(graven_unit_test name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest_main)
  target_link_options(${name} PRIVATE -fuse-ld=lld)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  gtest_discover_tests(${name} TEST_PREFIX ${name}/ DISCOVERY_MODE PRE_TEST)
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
