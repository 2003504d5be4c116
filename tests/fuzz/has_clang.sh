#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Succeeds where clang++ has libFuzzer and OpenMP (LibTorch's headers have loops that need clang's own runtime).
clang++ -fsanitize=fuzzer-no-link -fopenmp -x c++ - -o /dev/null 2>/dev/null <<<'int main() {}'
