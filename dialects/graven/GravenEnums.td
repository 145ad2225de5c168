//===- GravenEnums.td - enumerations of the graven dialect -*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the enumeration attributes of the ops.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_GRAVENENUMS_TD
#define DIALECTS_GRAVEN_GRAVENENUMS_TD

include "dialects/graven/GravenBase.td"

class Graven_Enum<string name, string summary, list<I32EnumAttrCase> cases> : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::graven";
  let genSpecializedAttr = 0;
}
class Graven_EnumAttr<EnumAttrInfo info, string mnemonic> : EnumAttr<Graven_Dialect, info, mnemonic>;

def Graven_GeluForm : Graven_Enum<"GeluForm", "which formula of GELU", [
  I32EnumAttrCase<"Exact", 0, "exact">, I32EnumAttrCase<"Tanh", 1, "tanh">]>;
def Graven_GeluFormAttr : Graven_EnumAttr<Graven_GeluForm, "gelu_form">;

def Graven_ComparePredicate : Graven_Enum<"ComparePredicate", "how two elements are compared", [
  I32EnumAttrCase<"Eq", 0, "eq">, I32EnumAttrCase<"Ne", 1, "ne">, I32EnumAttrCase<"Lt", 2, "lt">,
  I32EnumAttrCase<"Le", 3, "le">, I32EnumAttrCase<"Gt", 4, "gt">, I32EnumAttrCase<"Ge", 5, "ge">]>;
def Graven_ComparePredicateAttr : Graven_EnumAttr<Graven_ComparePredicate, "compare_predicate">;

def Graven_PadMode : Graven_Enum<"PadMode", "what stands outside the tensor", [
  I32EnumAttrCase<"Constant", 0, "constant">, I32EnumAttrCase<"Reflect", 1, "reflect">,
  I32EnumAttrCase<"Edge", 2, "edge">, I32EnumAttrCase<"Wrap", 3, "wrap">]>;
def Graven_PadModeAttr : Graven_EnumAttr<Graven_PadMode, "pad_mode">;

def Graven_ReduceKind : Graven_Enum<"ReduceKind", "how elements are combined", [
  I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Prod", 1, "prod">, I32EnumAttrCase<"Max", 2, "max">,
  I32EnumAttrCase<"Min", 3, "min">, I32EnumAttrCase<"Mean", 4, "mean">, I32EnumAttrCase<"And", 5, "and">,
  I32EnumAttrCase<"Or", 6, "or">]>;
def Graven_ReduceKindAttr : Graven_EnumAttr<Graven_ReduceKind, "reduce_kind">;

def Graven_ExtremeKind : Graven_Enum<"ExtremeKind", "which extreme", [
  I32EnumAttrCase<"Max", 0, "max">, I32EnumAttrCase<"Min", 1, "min">]>;
def Graven_ExtremeKindAttr : Graven_EnumAttr<Graven_ExtremeKind, "extreme_kind">;

// How the elements of a convolutional tensor lie in memory. Blocked: the channel axis is cut into blocks of 16
// which become the innermost axis ([N, ceil(C/16), D.., 16], tail lanes unspecified but never read).
def Graven_Layout : Graven_Enum<"Layout", "order of axes in memory", [
  I32EnumAttrCase<"Planar", 0, "nchw">, I32EnumAttrCase<"Blocked", 1, "nchw16c">]>;
def Graven_LayoutAttr : Graven_EnumAttr<Graven_Layout, "layout">;

// How a contraction is computed; the values are the same up to rounding.
def Graven_Algorithm : Graven_Enum<"Algorithm", "how a contraction is computed", [
  I32EnumAttrCase<"Direct", 0, "direct">, I32EnumAttrCase<"Winograd2", 1, "winograd2">,
  I32EnumAttrCase<"Winograd4", 2, "winograd4">, I32EnumAttrCase<"Strassen", 3, "strassen">]>;
def Graven_AlgorithmAttr : Graven_EnumAttr<Graven_Algorithm, "algorithm">;

def Graven_ResizeMode : Graven_Enum<"ResizeMode", "interpolation", [
  I32EnumAttrCase<"Nearest", 0, "nearest">, I32EnumAttrCase<"Linear", 1, "linear">,
  I32EnumAttrCase<"Cubic", 2, "cubic">]>;
def Graven_ResizeModeAttr : Graven_EnumAttr<Graven_ResizeMode, "resize_mode">;

def Graven_CoordinateMode : Graven_Enum<"CoordinateMode", "from output index to input coordinate", [
  I32EnumAttrCase<"HalfPixel", 0, "half_pixel">, I32EnumAttrCase<"HalfPixelSymmetric", 1, "half_pixel_symmetric">,
  I32EnumAttrCase<"PytorchHalfPixel", 2, "pytorch_half_pixel">, I32EnumAttrCase<"AlignCorners", 3, "align_corners">,
  I32EnumAttrCase<"Asymmetric", 4, "asymmetric">,
  I32EnumAttrCase<"TfHalfPixelForNn", 5, "tf_half_pixel_for_nn">]>;
def Graven_CoordinateModeAttr : Graven_EnumAttr<Graven_CoordinateMode, "coordinate_mode">;

def Graven_NearestMode : Graven_Enum<"NearestMode", "rounding of a nearest coordinate", [
  I32EnumAttrCase<"RoundPreferFloor", 0, "round_prefer_floor">,
  I32EnumAttrCase<"RoundPreferCeil", 1, "round_prefer_ceil">, I32EnumAttrCase<"Floor", 2, "floor">,
  I32EnumAttrCase<"Ceil", 3, "ceil">]>;
def Graven_NearestModeAttr : Graven_EnumAttr<Graven_NearestMode, "nearest_mode">;

def Graven_EmptyRow : Graven_Enum<"EmptyRow", "result of a fully masked attention row", [
  I32EnumAttrCase<"Zero", 0, "zero">, I32EnumAttrCase<"NaN", 1, "nan">]>;
def Graven_EmptyRowAttr : Graven_EnumAttr<Graven_EmptyRow, "empty_row">;

def Graven_Direction : Graven_Enum<"Direction", "order in which time is walked", [
  I32EnumAttrCase<"Forward", 0, "forward">, I32EnumAttrCase<"Reverse", 1, "reverse">,
  I32EnumAttrCase<"Bidirectional", 2, "bidirectional">]>;
def Graven_DirectionAttr : Graven_EnumAttr<Graven_Direction, "direction">;

// The functions of a recurrent gate.
def Graven_Activation : Graven_Enum<"Activation", "function of a recurrent gate", [
  I32EnumAttrCase<"Relu", 0, "relu">, I32EnumAttrCase<"Tanh", 1, "tanh">, I32EnumAttrCase<"Sigmoid", 2, "sigmoid">,
  I32EnumAttrCase<"Affine", 3, "affine">, I32EnumAttrCase<"LeakyRelu", 4, "leaky_relu">,
  I32EnumAttrCase<"ThresholdedRelu", 5, "thresholded_relu">, I32EnumAttrCase<"ScaledTanh", 6, "scaled_tanh">,
  I32EnumAttrCase<"HardSigmoid", 7, "hard_sigmoid">, I32EnumAttrCase<"Elu", 8, "elu">,
  I32EnumAttrCase<"Softsign", 9, "softsign">, I32EnumAttrCase<"Softplus", 10, "softplus">]>;

def Graven_ScatterKind : Graven_Enum<"ScatterKind", "how an update meets the element", [
  I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Add", 1, "add">, I32EnumAttrCase<"Mul", 2, "mul">,
  I32EnumAttrCase<"Max", 3, "max">, I32EnumAttrCase<"Min", 4, "min">]>;
def Graven_ScatterKindAttr : Graven_EnumAttr<Graven_ScatterKind, "scatter_kind">;

def Graven_BoxFormat : Graven_Enum<"BoxFormat", "what the four numbers of a box are", [
  I32EnumAttrCase<"XYXY", 0, "xyxy">, I32EnumAttrCase<"Corners", 1, "corners">,
  I32EnumAttrCase<"Center", 2, "center">]>;
def Graven_BoxFormatAttr : Graven_EnumAttr<Graven_BoxFormat, "box_format">;

def Graven_RegionMode : Graven_Enum<"RegionMode", "how what lies in a bin of a region is combined", [
  I32EnumAttrCase<"Avg", 0, "avg">, I32EnumAttrCase<"Max", 1, "max">]>;
def Graven_RegionModeAttr : Graven_EnumAttr<Graven_RegionMode, "region_mode">;

#endif // DIALECTS_GRAVEN_GRAVENENUMS_TD
