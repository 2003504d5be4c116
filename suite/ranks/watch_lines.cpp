// SPDX-License-Identifier: MIT
#include "suite/ranks/watch_lines.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <sstream>
#include <utility>

namespace kdbench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kConnecting{2000};  // one address
constexpr std::chrono::seconds kGathering{10};          // all ranks

// The first message of a connection, and its answer: other programs may find the port.
struct Greeting {
  uint64_t token = 0;
  int64_t rank = 0;
};

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
  return static_cast<int>(std::max<int64_t>(0, left.count()));
}

bool ready(int descriptor, short events, Clock::time_point end) {
  pollfd wanted{descriptor, events, 0};
  int found = 0;
  do {
    found = ::poll(&wanted, 1, milliseconds_until(end));
  } while (found < 0 && errno == EINTR);
  return found > 0;
}

bool send_greeting(int descriptor, const Greeting& greeting) {
  return ::send(descriptor, &greeting, sizeof greeting, MSG_NOSIGNAL) == sizeof greeting;
}

bool receive_greeting(int descriptor, Greeting& greeting, Clock::time_point end) {
  // 16 bytes come at once, or not at all.
  return ready(descriptor, POLLIN, end) &&
         ::recv(descriptor, &greeting, sizeof greeting, MSG_WAITALL) == sizeof greeting;
}

void send_soon(int descriptor) {
  const int yes = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

// Where this host may be reached, its own loopback first.
std::vector<std::string> own_addresses() {
  std::vector<std::string> addresses{"127.0.0.1"};
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return addresses;
  for (const ifaddrs* one = all; one; one = one->ifa_next) {
    const bool usable = one->ifa_addr && one->ifa_addr->sa_family == AF_INET &&
                        (one->ifa_flags & IFF_UP) && !(one->ifa_flags & IFF_LOOPBACK);
    if (!usable) continue;
    char text[INET_ADDRSTRLEN] = "";
    sockaddr_in address{};
    std::memcpy(&address, one->ifa_addr, sizeof address);
    if (::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text)) addresses.emplace_back(text);
  }
  ::freeifaddrs(all);
  return addresses;
}

// What the first rank tells the others of itself.
struct Meeting {
  uint64_t token = 0;
  int port = 0;  // 0: it cannot listen
  std::vector<std::string> addresses;
};

std::string to_text(const Meeting& meeting) {
  std::string text = fmt::format("{} {}", meeting.token, meeting.port);
  for (const auto& address : meeting.addresses) text += " " + address;
  return text;
}

Meeting from_text(const std::string& text) {
  Meeting meeting;
  std::istringstream words(text);
  words >> meeting.token >> meeting.port;
  for (std::string address; words >> address;) meeting.addresses.push_back(address);
  return meeting;
}

// A socket that listens on a port of the system's choice, -1 where there is none.
int listen_anywhere(int ranks, int& port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (listener >= 0 && ::bind(listener, plain, size) == 0 && ::listen(listener, ranks) == 0 &&
      ::getsockname(listener, plain, &size) == 0) {
    port = ntohs(address.sin_port);
    return listener;
  }
  if (listener >= 0) ::close(listener);
  return -1;
}

int connect_to(const std::string& text, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (::inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1) return -1;
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  const bool begun =
      ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EINPROGRESS;
  int failure = 0;
  socklen_t size = sizeof failure;
  if (begun && ready(descriptor, POLLOUT, Clock::now() + kConnecting) &&
      ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0)
    return descriptor;
  ::close(descriptor);
  return -1;
}

// The first address where the first rank answers.
WatchLine reach(const Meeting& meeting, int64_t rank) {
  for (const auto& address : meeting.addresses) {
    WatchLine line(connect_to(address, meeting.port));
    if (line.descriptor() < 0) continue;
    send_soon(line.descriptor());
    Greeting answer;
    if (send_greeting(line.descriptor(), {meeting.token, rank}) &&
        receive_greeting(line.descriptor(), answer, Clock::now() + kGathering) &&
        answer.token == ~meeting.token)
      return line;
  }
  return WatchLine();
}

// One line a rank, those that have not come by then closed.
std::vector<WatchLine> await_ranks(int listener, uint64_t token, int ranks) {
  std::vector<WatchLine> lines(static_cast<size_t>(ranks - 1));
  const auto end = Clock::now() + kGathering;
  for (int missing = ranks - 1; missing > 0 && ready(listener, POLLIN, end);) {
    WatchLine line(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    Greeting greeting;
    if (line.descriptor() < 0) continue;
    send_soon(line.descriptor());
    const bool ours = receive_greeting(line.descriptor(), greeting, Clock::now() + kConnecting) &&
                      greeting.token == token && greeting.rank > 0 && greeting.rank < ranks;
    if (!ours || !send_greeting(line.descriptor(), {~token, 0})) continue;
    WatchLine& place = lines[static_cast<size_t>(greeting.rank - 1)];
    if (place.descriptor() < 0) --missing;
    place = std::move(line);
  }
  return lines;
}

}  // namespace

WatchLine::~WatchLine() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

WatchLine::WatchLine(WatchLine&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), begun_(std::move(other.begun_)) {}

WatchLine& WatchLine::operator=(WatchLine&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(begun_, other.begun_);
  return *this;
}

void WatchLine::send(const Beat& beat) {
  // A full line belongs to a rank that does not read: it will be found silent.
  [[maybe_unused]] const ssize_t sent =
      ::send(descriptor_, &beat, sizeof beat, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool WatchLine::receive(Beat& beat) {
  char bytes[4096];
  ssize_t count = 0;
  bool found = false;
  while ((count = ::recv(descriptor_, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
    begun_.append(bytes, static_cast<size_t>(count));
  for (; begun_.size() >= sizeof beat; begun_.erase(0, sizeof beat), found = true)
    std::memcpy(&beat, begun_.data(), sizeof beat);
  return found;
}

std::vector<WatchLine> connect_ranks(const Control& control, std::string& obstacle) {
  Meeting meeting;
  int listener = -1;
  if (control.root()) {
    listener = listen_anywhere(control.size(), meeting.port);
    std::random_device random;
    meeting.token = (uint64_t{random()} << 32) | random();
    meeting.addresses = own_addresses();
  }
  meeting = from_text(control.broadcast(to_text(meeting)));
  std::vector<WatchLine> lines;
  if (meeting.port == 0) {
    obstacle = "no port to listen on";
  } else if (control.root()) {
    lines = await_ranks(listener, meeting.token, control.size());
  } else {
    lines.push_back(reach(meeting, control.rank()));
  }
  if (listener >= 0) ::close(listener);
  int64_t unreached = control.size();
  for (size_t i = 0; control.root() && i < lines.size(); ++i) {
    if (lines[i].descriptor() < 0) unreached = std::min(unreached, static_cast<int64_t>(i) + 1);
  }
  // Its own end counts too: the first rank may have answered when it had given up.
  if (!control.root() && meeting.port != 0 && lines.front().descriptor() < 0)
    unreached = control.rank();
  unreached = control.min(unreached);
  if (unreached < control.size())
    obstacle = fmt::format("rank {} cannot reach rank 0 by TCP", unreached);
  if (!obstacle.empty()) lines.clear();
  return lines;
}

}  // namespace kdbench
