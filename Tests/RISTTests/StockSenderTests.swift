import Foundation
import Glibc
import RISTFlow
import Support
import Testing

/// The stock `ristsender` in the simple profile: RTP to an even port of ours, RTCP to the odd one above it.
private final class StockSender {
    let media: CInt
    let control: CInt
    private let feed: CInt
    private let feedPort: UInt16
    private var pid: pid_t = 0
    private var peer: sockaddr_in?

    struct Failure: Error { let text: String }

    init() throws {
        (media, control) = try Self.pair()
        let other = try Self.bound(0)
        feedPort = Self.port(of: other)
        close(other)
        feed = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        let arguments = [
            "ristsender", "-p", "0", "-i", "udp://127.0.0.1:\(feedPort)", "-o", "rist://127.0.0.1:\(Self.port(of: media))?buffer=1000",
        ]
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [0, 1, 2] as [CInt] { posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0) }
        guard posix_spawnp(&pid, "ristsender", &actions, nil, &pointers, environ) == 0 else {
            throw Failure(text: "ristsender does not start")
        }
    }

    deinit {
        if pid > 0 {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        for descriptor in [media, control, feed] { close(descriptor) }
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func bound(_ port: UInt16) throws -> CInt {
        let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        var address = Self.address(port)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard result == 0 else {
            close(descriptor)
            throw Failure(text: "port \(port): \(errno)")
        }
        return descriptor
    }

    private static func port(of descriptor: CInt) -> UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// An even port and the odd one above it.
    private static func pair() throws -> (CInt, CInt) {
        for _ in 0..<100 {
            let first = try bound(0)
            let port = port(of: first)
            if port % 2 == 0, let second = try? bound(port + 1) { return (first, second) }
            close(first)
        }
        throw Failure(text: "no pair of ports")
    }

    private func send(_ bytes: [UInt8], from descriptor: CInt, to address: sockaddr_in) {
        var address = address
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Gives the sender two transport packets to send.
    func feedOnce() { send([UInt8](repeating: 0x47, count: 376), from: feed, to: Self.address(feedPort)) }

    /// Sends to where its RTCP came from; nothing before that.
    func answer(_ packets: [RTCPPacket]) {
        if let peer { send(RTCPPacket.encode(packets, source: 0x0a0b_0c0c), from: control, to: peer) }
    }

    /// What has come within `milliseconds`: RTP and RTCP.
    func receive(within milliseconds: CInt) -> (media: [[UInt8]], control: [[UInt8]]) {
        var polled = [pollfd(fd: media, events: Int16(POLLIN), revents: 0), pollfd(fd: control, events: Int16(POLLIN), revents: 0)]
        _ = poll(&polled, 2, milliseconds)
        return (drain(media), drain(control))
    }

    private func drain(_ descriptor: CInt) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            var address = sockaddr_in()
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT), $0, &size)
                }
            }
            guard count > 0 else { return found }
            if descriptor == control { peer = address }
            found.append(Array(buffer[..<count]))
        }
    }
}

/// The formats of `RISTFlow` against librist: what its sender sends, and what it understands.
@Suite(.serialized, .unlessStolen) struct StockSenderTests {
    @Test("each RTP and RTCP packet of the stock sender is read, and it answers either form of our NACK with what it asks for")
    func understood() throws {
        let sender = try StockSender()
        var received: [RTPPacket] = []
        var control: [RTCPPacket] = []
        var asked: Set<UInt16> = []
        let end = Date(timeIntervalSinceNow: 15)
        for turn in 0... {
            try #require(Date() < end, "asked for \(asked), \(received.count) packets came")
            sender.feedOnce()
            let came = sender.receive(within: 10)
            for bytes in came.media { received.append(try #require(RTPPacket(bytes), "\(bytes.prefix(12))")) }
            for bytes in came.control { control += try #require(RTCPPacket.decode(bytes), "\(bytes)") }
            let own: [RTCPPacket] = [.receiverReport(source: 0x0a0b_0c0c), .description(source: 0x0a0b_0c0c, name: "test")]
            if turn % 10 == 0 { sender.answer(own) }
            guard received.count >= 40, !control.isEmpty, asked.isEmpty || turn % 20 == 0 else { continue }
            let again = Set(received.filter(\.isRetransmission).map(\.sequence))
            if !asked.isEmpty, asked.isSubset(of: again) { break }
            // The newest may still be on their way into its history.
            let (first, second) = (received[received.count - 20], received[received.count - 10])
            let ask = { (packet: RTPPacket, form: RTCPPacket.NACK.Form) in
                RTCPPacket.nack(.init(media: packet.source & ~1, ranges: [.init(first: packet.sequence, more: 1)], form: form))
            }
            asked = [first.sequence, first.sequence &+ 1, second.sequence, second.sequence &+ 1]
            sender.answer(own + [ask(first, .range)])
            sender.answer(own + [ask(second, .bitmask)])
        }
        #expect(received.allSatisfy { $0.payload.count == 376 })
        #expect(control.contains { if case .senderReport = $0 { true } else { false } })
        #expect(control.contains { if case .echoRequest = $0 { true } else { false } })
    }
}
