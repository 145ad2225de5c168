//===- GravenAttrs.td - attributes of the graven dialect ---*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the reference to the bytes of a Parameter.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_GRAVENATTRS_TD
#define DIALECTS_GRAVEN_GRAVENATTRS_TD

include "dialects/graven/GravenBase.td"

def Graven_BlobAttr : AttrDef<Graven_Dialect, "Blob"> {
  let mnemonic = "blob";
  let summary = "bytes in a mapped file";
  let description = [{
    `#graven.blob<"m.safetensors", 128, 9408>`: `length` bytes at `offset` of the file known under this name to the
    dialect's BlobStore. With `strides` (elements, each >= 0; 0 and overlap are legal) the tensor is a strided view
    of them; without, it is dense and row-major. `bigEndian` bytes are swapped when they are read.
  }];
  let parameters = (ins StringRefParameter<"name in the blob store">:$file, "int64_t":$offset, "int64_t":$length,
                        OptionalArrayRefParameter<"int64_t", "elements">:$strides,
                        DefaultValuedParameter<"bool", "false">:$bigEndian);
  let assemblyFormat = [{
    `<` $file `,` $offset `,` $length `` custom<BlobOrder>($strides, $bigEndian) `>`
  }];
  let genVerifyDecl = 1;
}

def Graven_PreparedAttr : AttrDef<Graven_Dialect, "Prepared"> {
  let mnemonic = "prepared";
  let summary = "an output of @prepare";
  let description = [{ `#graven.prepared<3>`: output 3 of the Graph `@prepare`, which computes it from other Parameters. }];
  let parameters = (ins "int64_t":$output);
  let assemblyFormat = "`<` $output `>`";
}

#endif // DIALECTS_GRAVEN_GRAVENATTRS_TD
