// SPDX-License-Identifier: MIT
#include "tests/support/far_device.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/Allocator.h>
#include <c10/core/DeviceType.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <sys/mman.h>
#include <torch/library.h>

#include <algorithm>
#include <bit>
#include <map>
#include <mutex>
#include <new>
#include <stdexcept>
#include <vector>

namespace kdbench::testing {
namespace {

constexpr auto kFar = c10::DeviceType::PrivateUse1;

// All memory of the device: readable and writable only while somebody holds it open.
class FarMemory {
 public:
  static FarMemory& instance() {
    static FarMemory memory;
    return memory;
  }

  void* take(size_t bytes) {
    const std::lock_guard lock(mutex_);
    bytes = std::bit_ceil(std::max(bytes, kLeast));  // so that blocks are taken again
    auto& free = free_[bytes];
    if (!free.empty()) {
      void* const block = free.back();
      free.pop_back();
      return block;
    }
    if (used_ + bytes > kBytes) throw std::bad_alloc();
    void* const block = begin_ + used_;
    used_ += bytes;
    if (holders_ > 0) protect(PROT_READ | PROT_WRITE);
    sizes_[block] = bytes;
    return block;
  }
  void give_back(void* block) {
    const std::lock_guard lock(mutex_);
    free_[sizes_.at(block)].push_back(block);
  }
  void open() {
    const std::lock_guard lock(mutex_);
    if (holders_++ == 0) protect(PROT_READ | PROT_WRITE);
  }
  void close() {
    const std::lock_guard lock(mutex_);
    if (--holders_ == 0) protect(PROT_NONE);
  }

 private:
  static constexpr size_t kBytes = size_t{1} << 30, kLeast = 64;
  // Protected and opened for every operation: in huge pages, where there are any, as there are 512
  // times fewer of them.
  static constexpr size_t kPage = size_t{2} << 20;

  FarMemory() {
    void* const memory = mmap(nullptr, kBytes + kPage, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    begin_ = static_cast<char*>(memory);
    begin_ += whole_pages(reinterpret_cast<size_t>(begin_)) - reinterpret_cast<size_t>(begin_);
    madvise(begin_, kBytes, MADV_HUGEPAGE);
  }
  static size_t whole_pages(size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }
  void protect(int access) const {
    if (used_ > 0 && mprotect(begin_, whole_pages(used_), access) != 0)
      throw std::runtime_error("mprotect failed");
  }

  std::mutex mutex_;
  char* begin_ = nullptr;
  size_t used_ = 0;
  int holders_ = 0;
  std::map<size_t, std::vector<void*>> free_;
  std::map<void*, size_t> sizes_;
};

class Open {
 public:
  Open() { FarMemory::instance().open(); }
  ~Open() { FarMemory::instance().close(); }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;
};

class FarAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* const data = bytes == 0 ? nullptr : FarMemory::instance().take(bytes);
    return {data, data, &give_back, c10::Device(kFar, 0)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    const Open open;
    default_copy_data(to, from, bytes);
  }

 private:
  static void give_back(void* data) {
    if (data) FarMemory::instance().give_back(data);
  }
};

FarAllocator& allocator() {
  static FarAllocator far;
  return far;
}

struct FarGuard : public c10::impl::NoOpDeviceGuardImpl<kFar> {
  c10::Device exchangeDevice(c10::Device) const override { return {kFar, 0}; }
  c10::Device getDevice() const override { return {kFar, 0}; }
  c10::Stream getStream(c10::Device) const noexcept override { return stream(); }
  c10::Stream getNewStream(c10::Device, int) const override { return stream(); }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return stream(); }

 private:
  static c10::Stream stream() { return c10::Stream(c10::Stream::DEFAULT, c10::Device(kFar, 0)); }
};

struct FarHooks : public at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override {
    return at::detail::getDefaultCPUGenerator();
  }
  void setCurrentDevice(c10::DeviceIndex) const override {}
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex) const override { return 0; }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex) const override { return 0; }
};

constexpr c10::DispatchKeySet kKeys(c10::DispatchKey::PrivateUse1);

at::Tensor empty(at::IntArrayRef size, std::optional<at::ScalarType> dtype,
                 std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>,
                 std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &allocator(), kKeys, c10::dtype_or_default(dtype), format);
}

at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride,
                         std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                         std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &allocator(), kKeys,
                                           c10::dtype_or_default(dtype));
}

// The same memory as a tensor of the CPU; to be used while it is open.
at::Tensor near(const at::Tensor& tensor) {
  if (tensor.is_cpu()) return tensor;
  return at::from_blob(tensor.data_ptr(), tensor.sizes(), tensor.strides(),
                       at::TensorOptions(tensor.scalar_type()));
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  const Open open;
  near(to).copy_(near(from));
  return to;
}

at::Tensor& copy_(at::Tensor& to, const at::Tensor& from, bool) {
  const at::Tensor expanded = from.expand(to.sizes());
  copy_from(expanded, to, false);
  return to;
}

const at::Tensor& resize_(const at::Tensor& tensor, at::IntArrayRef size,
                          std::optional<at::MemoryFormat>) {
  const Open open;
  at::native::resize_impl_cpu_(tensor.unsafeGetTensorImpl(), size, std::nullopt);
  return tensor;
}

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  if (to.sizes() != from.sizes()) resize_(to, from.sizes(), std::nullopt);
  return copy_from(from, to, false);
}

at::Scalar local_scalar(const at::Tensor& tensor) {
  const Open open;
  return near(tensor).item();
}

void on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  at::native::cpu_fallback(op, stack, /*error_on_views=*/true);
}

// NOLINTNEXTLINE: the macros of LibTorch's registry
TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&on_cpu>());
}
TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", &empty);
  library.impl("empty_strided", &empty_strided);
  library.impl("_copy_from", &copy_from);
  library.impl("_copy_from_and_resize", &copy_from_and_resize);
  library.impl("copy_", &copy_);
  library.impl("resize_", &resize_);
  library.impl("_local_scalar_dense", &local_scalar);
  library.impl("as_strided", &at::native::as_strided_tensorimpl);
  library.impl("view", &at::native::view);
  library.impl("_reshape_alias", &at::native::_reshape_alias);
  library.impl("set_.source_Storage_storage_offset", &at::native::set_storage_cpu_);
}
C10_REGISTER_GUARD_IMPL(PrivateUse1, FarGuard)

class FarCollectives : public Collectives {
 public:
  explicit FarCollectives(std::unique_ptr<Collectives> host) : host_(std::move(host)) {}
  int rank() const override { return host_->rank(); }
  int size() const override { return host_->size(); }
  std::string name() const override { return "far " + host_->name(); }

  std::unique_ptr<PendingCollective> start(CollectiveOp op) override {
    if (op.tensor.is_cpu() || !op.tensor.is_contiguous())
      throw std::logic_error("far collectives: a tensor elsewhere, or not contiguous");
    CollectiveOp on_host;
    on_host.kind = op.kind;
    on_host.root = op.root;
    on_host.tensor = op.tensor.cpu();
    if (op.kind == CollectiveOp::Kind::kReduceScatterSum) {
      std::vector<int64_t> sizes;
      for (const auto& part : op.parts) sizes.push_back(part.numel());
      on_host.parts = on_host.tensor.view({-1}).split_with_sizes(sizes);
    } else {
      for (const auto& part : op.parts) on_host.parts.push_back(at::empty_like(part.cpu()));
    }
    const auto under_way = host_->start(on_host);
    under_way->wait();
    if (op.parts.empty()) op.tensor.copy_(on_host.tensor);
    for (size_t i = 0; i < op.parts.size(); ++i)
      op.parts[i].copy_(on_host.parts[i].view_as(op.parts[i]));
    return std::make_unique<Finished>();
  }
  std::unique_ptr<Collectives> subgroup(int colour) override {
    return make_far_collectives(host_->subgroup(colour));
  }

 private:
  struct Finished : PendingCollective {
    void wait() override {}
  };
  std::unique_ptr<Collectives> host_;
};

}  // namespace

at::Device far_device() {
  static const bool registered = [] {
    static FarHooks hooks;
    c10::register_privateuse1_backend("far");
    at::RegisterPrivateUse1HooksInterface(&hooks);
    c10::SetAllocator(kFar, &allocator());
    return true;
  }();
  return {registered ? kFar : c10::kCPU, 0};
}

std::unique_ptr<Collectives> make_far_collectives(std::unique_ptr<Collectives> host) {
  return std::make_unique<FarCollectives>(std::move(host));
}

}  // namespace kdbench::testing
