import BondWire
import SRTP
import TLS
import Testing
import WebRTC

/// One peer's way in and out, against another of the same, without a network between them.
@Suite struct MediaTransportTests {
    /// 2026-11-23, in Unix seconds.
    fileprivate static let today: Int64 = 1_795_392_000
    private static let second: Microseconds = 1_000_000

    /// A client and a server, and what is said until neither has more to say.
    private final class Ends {
        let client: MediaTransport
        let server: MediaTransport
        private(set) var clientSaid: [MediaTransport.Event] = []
        private(set) var serverSaid: [MediaTransport.Event] = []

        /// - Parameter promised: what the server was told of the client's certificate; nil: the truth.
        init(promised: CertificateFingerprint? = nil) throws {
            let (one, other) = (try DTLSContext(at: MediaTransportTests.today), try DTLSContext(at: MediaTransportTests.today))
            client = try MediaTransport(one, .client, peer: [other.fingerprint], at: 0)
            server = try MediaTransport(other, .server, peer: [promised ?? one.fingerprint], at: 0)
        }

        func shakeHands() {
            _ = server.start(at: 0)
            var forServer = client.start(at: 0)
            var forClient: [MediaTransport.Event] = []
            while !forServer.isEmpty || !forClient.isEmpty {
                clientSaid += forServer
                serverSaid += forClient
                let (datagrams, answers) = (Self.datagrams(forServer), Self.datagrams(forClient))
                forClient = datagrams.flatMap { server.take($0, at: 0) }
                forServer = answers.flatMap { client.take($0, at: 0) }
            }
        }

        private static func datagrams(_ events: [MediaTransport.Event]) -> [[UInt8]] {
            events.compactMap { if case .send(let datagram) = $0 { datagram } else { nil } }
        }
    }

    /// An RTP packet of one source.
    private func packet(_ sequence: UInt8) -> [UInt8] {
        [0x80, 96, 0, sequence, 0, 0, 0, 1, 0, 0, 0, 7] + [UInt8](repeating: 5, count: 40)
    }

    /// A receiver report without blocks.
    private let report: [UInt8] = [0x80, 201, 0, 1, 0, 0, 0, 7]

    private func sealed(_ packet: [UInt8], _ seal: (UnsafeMutableRawBufferPointer, Int) throws -> Int) throws -> [UInt8] {
        var bytes = packet + [UInt8](repeating: 0, count: 64)
        let count = try bytes.withUnsafeMutableBytes { try seal($0, packet.count) }
        return Array(bytes.prefix(count))
    }

    private func open(_ datagram: [UInt8], _ opener: (UnsafeMutableRawBufferPointer, Int) -> Int?) -> [UInt8]? {
        var bytes = datagram
        let count = bytes.withUnsafeMutableBytes { opener($0, datagram.count) }
        return count.map { Array(bytes.prefix($0)) }
    }

    @Test("two that know each other's certificates connect, and what one protects the other opens, once")
    func media() throws {
        let ends = try Ends()
        ends.shakeHands()
        #expect(ends.client.isOpen && ends.server.isOpen)
        #expect(ends.clientSaid.contains(.opened) && ends.serverSaid.contains(.opened))
        let sender = try #require(ends.client.sender)
        let media = try sealed(packet(1)) { try sender.protect($0, $1, .first) }
        let control = try sealed(report) { try sender.protectControl($0, $1) }
        #expect(open(media, ends.server.openMedia) == packet(1) && open(control, ends.server.openControl) == report)
        #expect(ends.server.refused == 0)
        // Again, as the other kind, changed at any byte, cut, and by one's own keys: nothing of it is let in.
        var wrongs = [media]
        let next = try sealed(packet(2)) { try sender.protect($0, $1, .first) }
        for index in next.indices {
            var changed = next
            changed[index] ^= 1
            wrongs.append(changed)
        }
        wrongs += [Array(media.dropLast()), packet(3), []]
        for wrong in wrongs { #expect(open(wrong, ends.server.openMedia) == nil) }
        for wrong in [control, report, Array(control.dropLast()), media] { #expect(open(wrong, ends.server.openControl) == nil) }
        #expect(ends.server.refused == wrongs.count + 4)
        #expect(open(media, ends.client.openMedia) == nil, "who sent it does not take it back")
        #expect(open(next, ends.server.openMedia) == packet(2), "the good one still counts")
    }

    @Test("before there are keys nothing is opened, and nothing can be sent")
    func early() throws {
        let ends = try Ends()
        #expect(ends.server.sender == nil && open(packet(1), ends.server.openMedia) == nil && open(report, ends.server.openControl) == nil)
        #expect(ends.server.refused == 2)
    }

    @Test("another certificate than the promised one ends it without keys")
    func untrusted() throws {
        let ends = try Ends(promised: try DTLSContext(at: Self.today).fingerprint)
        ends.shakeHands()
        #expect(!ends.server.isOpen && !ends.client.isOpen && ends.server.sender == nil)
        let isEnded = ends.serverSaid.contains { if case .ended = $0 { true } else { false } }
        #expect(isEnded)
    }

    @Test("who has not finished a handshake thirty seconds after the offer is over, also where none has begun; who has, stays")
    func patience() throws {
        let idle = try Ends()
        #expect(idle.server.deadline == 30 * Self.second)
        #expect(idle.server.advance(to: 30 * Self.second - 1) == [])
        let ended = idle.server.advance(to: 30 * Self.second)
        #expect(ended.count == 1)
        if case .ended? = ended.first {} else { Issue.record("\(ended)") }
        let ends = try Ends()
        ends.shakeHands()
        #expect(ends.server.advance(to: 100 * Self.second) == [] && ends.server.isOpen)
    }
}
