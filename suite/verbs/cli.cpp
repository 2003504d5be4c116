// SPDX-License-Identifier: MIT
#include "suite/verbs/cli.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "io/base/foreign_error.h"
#include "suite/machine/provenance.h"
#include "suite/verbs/verb.h"

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

// What is still on its way to stdout may not find room (a full disk, /dev/full).
void flush_output() {
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  if (!flushed || std::ferror(stdout) != 0) throw_machine_error("stdout", std::strerror(errno));
}

int guarded_dispatch(int argc, char** argv, const Control& control) {
  try {
    const ExitCode code = dispatch(argc, argv, control);
    flush_output();
    return number(code);
  } catch (const Error& error) {
    if (!error.on_every_rank) return fail(control, error.what(), error.code());
    if (control.root()) fmt::print(stderr, "kdbench: {}\n", error.what());
    return number(error.code());
  } catch (const std::exception& error) {
    return fail(control, as_error(error, argc > 1 ? argv[1] : "").what(), ExitCode::kMachine);
  }
}

// An exception that got past would end MPI (MpiSession) while other ranks are at work: it ends the
// job instead.
int run_rank(int argc, char** argv) noexcept {
  const Control control(MPI_COMM_WORLD);
  return guarded_dispatch(argc, argv, control);
}

}  // namespace

int run_program(int argc, char** argv) {
  // A file that grows beyond the limit (ulimit -f) is then an error of its write, not a death.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    const MpiSession session(&argc, &argv);
    return run_rank(argc, argv);
  } catch (const Error& error) {  // MPI itself did not start
    fmt::print(stderr, "kdbench: {}\n", error.what());
    return number(error.code());
  }
}

}  // namespace kdbench
