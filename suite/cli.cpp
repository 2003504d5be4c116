// SPDX-License-Identifier: MIT
#include "suite/cli.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <new>

#include "suite/results/provenance.h"
#include "suite/verb.h"

namespace kdbench {
namespace {

int number(ExitCode code) { return static_cast<int>(code); }

// Every rank makes the same mistake about the command line: one of them says so.
[[noreturn]] void throw_usage_error(const std::string& where, const std::string& what,
                                    const std::string& hint) {
  Error error(ExitCode::kUserInput, where, what, hint);
  error.on_every_rank = true;
  throw error;
}

// A first argument that is no verb, which CLI11 would only call unexpected.
void check_verb(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  const std::string name = argv[1];
  std::vector<std::string> known;
  for (const auto& verb : all_verbs()) known.push_back(verb.name);
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  for (const auto& planned : planned_verbs()) {
    if (planned == name) throw_usage_error("", "'" + name + "' is not available yet", "");
  }
  const std::string near = nearest_name(name, known);
  throw_usage_error("", "unknown verb '" + name + "'",
                    near.empty() ? "kdbench --help lists them" : "did you mean '" + near + "'?");
}

ExitCode dispatch(int argc, char** argv, const Control& control) {
  check_verb(argc, argv);
  CLI::App app("kdbench: a benchmark suite for knowledge distillation", "kdbench");
  app.require_subcommand(1);
  app.set_version_flag("--version",
                       "kdbench " + build_provenance().at("version").get<std::string>());
  VerbAction action;
  for (const auto& verb : all_verbs()) {
    CLI::App* sub = app.add_subcommand(verb.name, verb.help);
    VerbAction declared = verb.declare(*sub);
    sub->callback([&action, declared] { action = declared; });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    if (control.root()) app.exit(success, std::cout, std::cerr);
    return ExitCode::kDone;
  } catch (const CLI::ParseError& error) {
    const auto used = app.get_subcommands();
    const std::string verb = used.empty() ? "" : used.front()->get_name();
    throw_usage_error(verb, error.what(), "kdbench " + verb + (verb.empty() ? "" : " ") + "--help");
  }
  return action({control, command_line(argc, argv)});
}

// One rank's error: the job ends with it. Alone there is nobody to wait for.
int fail(const Control& control, const std::string& message, ExitCode code) {
  if (control.size() > 1) control.abort(message, number(code));
  fmt::print(stderr, "kdbench: {}\n", message);
  return number(code);
}

int guarded_dispatch(int argc, char** argv, const Control& control) {
  try {
    return number(dispatch(argc, argv, control));
  } catch (const Error& error) {
    if (!error.on_every_rank) return fail(control, error.what(), error.code());
    if (control.root()) fmt::print(stderr, "kdbench: {}\n", error.what());
    return number(error.code());
  } catch (const std::bad_alloc&) {
    return fail(control, "out of memory", ExitCode::kMachine);
  } catch (const c10::Error& error) {
    return fail(control, error.what_without_backtrace(), ExitCode::kMachine);
  } catch (const std::exception& error) {
    return fail(control, error.what(), ExitCode::kMachine);
  }
}

}  // namespace

int run_program(int argc, char** argv) {
  try {
    const MpiSession session(&argc, &argv);
    const Control control(MPI_COMM_WORLD);
    return guarded_dispatch(argc, argv, control);
  } catch (const Error& error) {  // MPI itself did not start
    fmt::print(stderr, "kdbench: {}\n", error.what());
    return number(error.code());
  }
}

}  // namespace kdbench
