//===- PassFlags.cpp - flags about single passes ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements --explain, --disable-pass and --disable-pattern.
//===----------------------------------------------------------------------===//

#include "compiler/cli/PassFlags.h"

using namespace llvm;

namespace graven::cli {

PassFlags::PassFlags(cl::SubCommand &sub)
    : formFlag("explain", cl::ValueOptional,
               cl::desc("say of each Node what passes did to it, and why not"),
               cl::init(ExplanationForm::Text), cl::sub(sub),
               cl::values(
                   clEnumValN(ExplanationForm::Text, "",
                              "lines and a table of passes on standard error"),
                   clEnumValN(ExplanationForm::Text, "text", "the same"),
                   clEnumValN(ExplanationForm::Json, "json",
                              "one document; with --json in its report"))),
      passes("disable-pass", cl::CommaSeparated,
             cl::desc("leave out passes, by the names of their flags"),
             cl::value_desc("name"), cl::sub(sub)),
      patterns("disable-pattern", cl::CommaSeparated,
               cl::desc("leave out patterns, by the names in --explain"),
               cl::value_desc("name"), cl::sub(sub)) {}

void PassFlags::read(raw_ostream &documents) {
  form = formFlag;
  if (formFlag.getNumOccurrences() > 0)
    explained.emplace(form, isDocument() ? documents : errs());
  skipped.emplace(std::vector<std::string>(passes.begin(), passes.end()),
                  std::vector<std::string>(patterns.begin(), patterns.end()));
}

void PassFlags::applyTo(mlir::MLIRContext &context) {
  if (explained)
    explained->listenTo(context);
  skipped->skipIn(context);
}

std::vector<std::string> PassFlags::warnings() const {
  std::vector<std::string> texts;
  for (const std::string &name : skipped->unknownPasses())
    texts.push_back("--disable-pass: no pass '" + name + "' was about to run");
  for (const std::string &name : skipped->unknownPatterns())
    texts.push_back("--disable-pattern: no pattern '" + name +
                    "' was about to be applied");
  return texts;
}

} // namespace graven::cli
