// SPDX-License-Identifier: MIT
#include "suite/verbs/cli.h"

#include <ATen/Context.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "io/base/foreign_error.h"
#include "suite/machine/provenance.h"
#include "suite/verbs/verb.h"

namespace kdbench {
namespace {

int number(ExitCode code) { return static_cast<int>(code); }

// stderr may be closed, or full.
void complain(const std::string& message) {
  std::fputs(("kdbench: " + message + "\n").c_str(), stderr);
}

// Every rank makes the same mistake about the command line: one of them says so.
[[noreturn]] void throw_usage_error(const std::string& where, const std::string& what,
                                    const std::string& hint) {
  Error error(ExitCode::kUserInput, where, what, hint);
  error.on_every_rank = true;
  throw error;
}

const Verb* find_verb(const std::string& name) {
  const auto& verbs = all_verbs();
  const auto found =
      std::find_if(verbs.begin(), verbs.end(), [&](const Verb& verb) { return verb.name == name; });
  return found == verbs.end() ? nullptr : &*found;
}

// A first argument that is no verb, which CLI11 would only call unexpected.
void check_verb(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  const std::string name = argv[1];
  if (find_verb(name)) return;
  std::vector<std::string> known;
  for (const auto& verb : all_verbs()) known.push_back(verb.name);
  throw_usage_error("", "unknown verb '" + name + "'",
                    did_you_mean(name, known, "kdbench --help lists them"));
}

// A verb that needs none, help, and what is no command at all.
bool needs_no_ranks(int argc, char** argv) {
  const Verb* verb = argc < 2 ? nullptr : find_verb(argv[1]);
  return !verb || verb->alone || std::any_of(argv + 2, argv + argc, [](std::string_view argument) {
    return argument == "--help" || argument == "-h";
  });
}

// By what launchers tell their processes; the first, or the only one: 0.
int launched_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (const char* rank = std::getenv(name)) return std::atoi(rank);
  }
  return 0;
}

// "did you mean '--seeds'? " of the first option that the verb does not have; "" where none is
// near.
std::string nearest_option(const CLI::App& verb, int argc, char** argv) {
  std::vector<std::string> known;
  for (const CLI::Option* option : verb.get_options()) {
    for (const auto& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (const std::string_view argument : std::vector<std::string_view>(argv + 2, argv + argc)) {
    const std::string name(argument.substr(0, argument.find('=')));
    if (name.rfind("--", 0) != 0 || std::find(known.begin(), known.end(), name) != known.end())
      continue;
    const std::string hint = did_you_mean(name, known);
    return hint.empty() ? "" : hint + " ";
  }
  return "";
}

ExitCode dispatch(int argc, char** argv, const Control& control) {
  check_verb(argc, argv);
  CLI::App app("kdbench: a benchmark suite for knowledge distillation", "kdbench");
  app.require_subcommand(1);
  app.set_version_flag("--version",
                       "kdbench " + build_provenance().at("version").get<std::string>());
  VerbAction action;
  Answer answer;
  for (const auto& verb : all_verbs()) {
    CLI::App* sub = app.add_subcommand(verb.name, verb.help);
    if (!verb.json_lines) {
      sub->add_flag("--json", answer.json, "one JSON document on stdout instead of text");
    }
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
    const std::string hint = used.empty() ? "" : nearest_option(*used.front(), argc, argv);
    throw_usage_error(verb, error.what(),
                      hint + "kdbench " + verb + (verb.empty() ? "" : " ") + "--help");
  }
  const ExitCode code = action({control, command_line(argc, argv), answer});
  if (control.root()) answer.finish();
  return code;
}

// One rank's error: the job ends with it. Alone there is nobody to wait for.
int fail(const Control& control, const std::string& message, ExitCode code) {
  if (control.size() > 1) control.abort(message, number(code));
  complain(message);
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
    if (control.root()) complain(error.what());
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
  // Numbers below 1e-38, which moments of rare words sink to, are 0: else they slow down all that
  // is computed with them. Threads that are started later inherit it.
  at::globalContext().setFlushDenormal(true);
  try {
    if (needs_no_ranks(argc, argv))
      return launched_rank() == 0 ? guarded_dispatch(argc, argv, Control()) : 0;
    const MpiSession session(&argc, &argv);
    return run_rank(argc, argv);
  } catch (const Error& error) {  // MPI itself did not start
    complain(error.what());
    return number(error.code());
  }
}

}  // namespace kdbench
