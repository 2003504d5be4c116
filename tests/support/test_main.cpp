// SPDX-License-Identifier: MIT
// main() of every test program: a world of MPI ranks (one when started alone) in which every rank
// runs the same tests. With --test_file=NAME only those that stand in that source: a build that
// merges the tests of a folder into one program has its ctest entries differ by this. Where a test
// was skipped the exit code is 77, which ctest calls "Skipped": what was not tried did not pass.
#include <gtest/gtest.h>
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace {

// A GoogleTest filter for the tests of the source called `file`; empty where there are none.
std::string filter_for(std::string_view file) {
  std::string filter;
  const auto& tests = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < tests.total_test_suite_count(); ++i) {
    const auto& suite = *tests.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const auto& test = *suite.GetTestInfo(j);
      if (std::filesystem::path(test.file()).filename() != file) continue;
      filter += std::string(filter.empty() ? "" : ":") + suite.name() + "." + test.name();
    }
  }
  return filter;
}

// Takes what --test_file asks for out of `argv`; false where no test stands in that file.
bool select_tests(int argc, char** argv) {
  constexpr std::string_view kOption = "--test_file=";
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (argument.substr(0, kOption.size()) != kOption) continue;
    argument.remove_prefix(kOption.size());
    const std::string filter = filter_for(argument);
    if (filter.empty()) {
      std::fprintf(stderr, "%s: no test of this program stands in %s\n", argv[0],
                   std::string(argument).c_str());
      return false;
    }
    ::testing::GTEST_FLAG(filter) = filter;
  }
  return true;
}

constexpr int kSkipped = 77;  // SKIP_RETURN_CODE of kdbench_register_test

int run_tests(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (!select_tests(argc, argv)) return 2;
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank != 0) {
    auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
  }
  int failed = RUN_ALL_TESTS();
  int skipped = ::testing::UnitTest::GetInstance()->skipped_test_count();
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  MPI_Allreduce(MPI_IN_PLACE, &skipped, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  if (failed == 0 && skipped > 0) return kSkipped;
  return failed;
}

}  // namespace

int main(int argc, char** argv) {
  // As MpiSession has it: a killed test blocks no other.
  setenv("OMPI_MCA_sharedfp", "^sm,lockedfile", 0);
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  const int status = run_tests(argc, argv);
  MPI_Finalize();
  return status;
}
