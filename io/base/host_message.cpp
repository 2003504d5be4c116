// SPDX-License-Identifier: MIT
#include "io/base/host_message.h"

#include <stdexcept>

namespace kdbench {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(HostMemoryPlace, process, file, device, inode, bytes)

// CBOR, not text: strings of a store need not be UTF-8.
HostMessage::HostMessage(const std::string& message)
    : sends_(false), parts_(nlohmann::json::from_cbor(message)) {}

std::string HostMessage::text() const {
  std::string text;
  nlohmann::json::to_cbor(parts_, text);
  return text;
}

void HostMessage::refuse_private() {
  throw std::logic_error("an array was not made by HostArray::filled for the ranks of a host");
}

void HostMessage::map(std::shared_ptr<HostMemory>& memory) {
  if (sends_) {
    parts_.push_back(memory ? memory->place() : HostMemoryPlace());
    if (memory) sent_.push_back(memory);
    return;
  }
  const auto place = parts_.at(next_++).get<HostMemoryPlace>();
  memory = place.bytes > 0 ? std::make_shared<HostMemory>(place) : nullptr;
}

void HostMessage::stop_sharing() {
  for (const auto& memory : sent_) memory->stop_sharing();
}

}  // namespace kdbench
