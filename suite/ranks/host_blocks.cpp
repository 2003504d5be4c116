// SPDX-License-Identifier: MIT
#include "suite/ranks/host_blocks.h"

#include <c10/core/CPUAllocator.h>

#include <cstring>
#include <stdexcept>
#include <utility>

namespace kdbench {
namespace {

std::vector<int64_t> to_numbers(const HostMemoryPlace& place) {
  return {place.process, place.file, static_cast<int64_t>(place.device),
          static_cast<int64_t>(place.inode), place.bytes};
}

HostMemoryPlace to_place(const int64_t* numbers) {
  return {numbers[0], numbers[1], static_cast<uint64_t>(numbers[2]),
          static_cast<uint64_t>(numbers[3]), numbers[4]};
}

}  // namespace

bool share_host(const Control& control) {
  return control.host().share() && control.local_size() == control.size();
}

std::vector<std::shared_ptr<HostMemory>> share_blocks(const Control& control, int64_t bytes) {
  std::vector<std::shared_ptr<HostMemory>> blocks(static_cast<size_t>(control.size()));
  auto& own = blocks[static_cast<size_t>(control.rank())];
  std::vector<int64_t> mine = to_numbers({});
  control.agree([&] {
    if (bytes == 0) return;
    own = std::make_shared<HostMemory>(bytes, true);
    own->ask_for_huge_pages();
    mine = to_numbers(own->place());
  });
  const std::vector<int64_t> all = control.gather(mine);
  control.agree([&] {
    for (size_t rank = 0; rank < blocks.size(); ++rank) {
      const HostMemoryPlace place = to_place(all.data() + rank * mine.size());
      if (blocks[rank] || place.bytes == 0) continue;
      blocks[rank] = std::make_shared<HostMemory>(place, HostMemory::Access::kWrite);
      blocks[rank]->ask_for_huge_pages();
    }
  });
  if (own) own->stop_sharing();
  return blocks;
}

void move_into(const at::Tensor& buffer, std::shared_ptr<HostMemory> block) {
  using Owner = std::shared_ptr<HostMemory>;
  const at::Storage& storage = buffer.storage();
  if (static_cast<int64_t>(storage.nbytes()) != block->bytes())
    throw std::logic_error("move_into: a block of another size");
  void* const data = block->data();
  storage.set_data_ptr_noswap({data, new Owner(std::move(block)),
                               [](void* owner) { delete static_cast<Owner*>(owner); },
                               at::Device(at::kCPU)});
}

void move_out(const at::Tensor& buffer) {
  const at::Storage& storage = buffer.storage();
  at::DataPtr own = c10::GetCPUAllocator()->allocate(storage.nbytes());
  std::memcpy(own.get(), storage.data(), storage.nbytes());
  storage.set_data_ptr_noswap(std::move(own));
}

}  // namespace kdbench
