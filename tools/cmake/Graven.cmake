# The CMake verbs of the project: a folder says what it holds, this file says how it is built.

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
endfunction()

# graven_executable(NAME source... LINK target...)
function(graven_executable name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
  target_link_options(${name} PRIVATE -fuse-ld=lld)
endfunction()

# graven_dialect(NAME td DIALECT name [ATTRS] [ENUMS] [INTERFACES])
# Declarations and definitions of the dialect, its ops and, where asked, attributes, enums and op interfaces.
function(graven_dialect name td)
  cmake_parse_arguments(ARG "ATTRS;ENUMS;INTERFACES" "DIALECT" "" ${ARGN})
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
    mlir_tablegen(${td}Interfaces.h.inc -gen-op-interface-decls)
    mlir_tablegen(${td}Interfaces.cpp.inc -gen-op-interface-defs)
  endif()
  add_public_tablegen_target(${name}IncGen)
endfunction()

# graven_passes(NAME group): declarations and registration of the passes in Passes.td
function(graven_passes name group)
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name=${group})
  add_public_tablegen_target(${name}IncGen)
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
