import Foundation
import Ingest
import Posix
import RIST
import Support
import Testing
import Units

@Suite(.serialized, .unlessStolen) struct IngestTests {
    @Test("a stream over three sources comes through the guard whole and in order, with a report for each")
    func delivers() async throws {
        let media = Media()
        let ingest = try StandardIngest(.init(port: 0, bind: ["127.0.0.1"], key: testKey, bufferMs: 300), log: quiet, onMedia: media.take)
        let encoder = try Encoder(bufferMs: 300)
        try await encoder.connect(ingest.addresses[0], peers: 3)
        try await encoder.send(0..<500)
        try await media.wait(for: 499)
        #expect(media.numbers == Array(media.numbers[0]..<500))
        #expect(media.numbers[0] <= 1)
        // librist reports on its peers each 500 ms.
        var statistics = ingest.statistics()
        for _ in 0..<30 where !statistics.paths.allSatisfy({ $0.rttMs != nil }) {
            try await Task.sleep(for: .milliseconds(50))
            statistics.paths = ingest.statistics().paths
        }
        #expect(statistics.paths.count == 3)
        #expect(statistics.paths.allSatisfy { $0.packetsTotal > 100 && $0.rttMs != nil })
        #expect(statistics.lostPacketsTotal == 0)
        #expect(statistics.guardDropped.total == 0)
        #expect(statistics.bitrate.kilobits > 1000)
        ingest.stop()
        withExtendedLifetime(encoder) {}
    }

    @Test("that settles takes nothing more in and gives out all that had come, to the last packet")
    func settles() async throws {
        let media = Media()
        let ingest = try StandardIngest(.init(port: 0, bind: ["127.0.0.1"], key: testKey, bufferMs: 800), log: quiet, onMedia: media.take)
        let encoder = try Encoder(bufferMs: 800)
        try await encoder.connect(ingest.addresses[0], peers: 2)
        try await encoder.send(0..<300)
        // The last packets reach the port in the millisecond after the last write; they stay in the buffer for 800 more.
        try await Task.sleep(for: .milliseconds(100))
        #expect(media.numbers.last.map { $0 < 299 } == true)
        let asked = Instant.now
        async let settled: Void = ingest.settle()
        try await Task.sleep(for: .milliseconds(50))
        try await encoder.send(300..<320)
        await settled
        #expect(Instant.now - asked < .milliseconds(1800))
        #expect(media.numbers == Array(media.numbers[0]..<300))
        ingest.stop()
        withExtendedLifetime(encoder) {}
    }

    @Test("IPv4 and IPv6 listen on one port and are one stream")
    func bothFamilies() async throws {
        let media = Media()
        let ingest = try StandardIngest(
            .init(port: 0, bind: ["127.0.0.1", "::1"], key: testKey, bufferMs: 200), log: quiet, onMedia: media.take)
        #expect(Set(ingest.addresses.map(\.port)).count == 1)
        let encoder = try Encoder(bufferMs: 200)
        for address in ingest.addresses { try await encoder.connect(address) }
        try await encoder.send(0..<200)
        try await media.wait(for: 199)
        #expect(media.numbers == Array(media.numbers[0]..<200))
        #expect(ingest.statistics().paths.filter { $0.packetsTotal > 50 }.count == 2)
        ingest.stop()
        withExtendedLifetime(encoder) {}
    }

    @Test("a sender that was started again is heard again, and its own numbers begin anew")
    func senderRestarts() async throws {
        let media = Media()
        let ingest = try StandardIngest(.init(port: 0, bind: ["127.0.0.1"], key: testKey, bufferMs: 200), log: quiet, onMedia: media.take)
        for begin in [0, 100] {
            let encoder = try Encoder(bufferMs: 200)
            try await encoder.connect(ingest.addresses[0])
            try await encoder.send(begin..<begin + 100)
            try await media.wait(for: begin + 99)
            // A restart takes longer than the 500 ms after which another flow is let in.
            try await Task.sleep(for: .milliseconds(600))
        }
        #expect(media.numbers.count >= 198)
        #expect(ingest.statistics().lostPacketsTotal == 0)
        ingest.stop()
    }

    @Test("a receiver that was started again on its port is found again by the sender")
    func receiverRestarts() async throws {
        let media = Media()
        let encoder = try Encoder(bufferMs: 200)
        let first = try StandardIngest(.init(port: 0, bind: ["127.0.0.1"], key: testKey, bufferMs: 200), log: quiet, onMedia: media.take)
        try await encoder.connect(first.addresses[0])
        try await encoder.send(0..<100)
        first.stop()
        let second = try StandardIngest(
            .init(port: first.addresses[0].port, bind: ["127.0.0.1"], key: testKey, bufferMs: 200), log: quiet, onMedia: media.take)
        try await encoder.send(100..<500)
        try await media.wait(for: 499)
        second.stop()
        withExtendedLifetime(encoder) {}
    }

    @Test("an address that is not there, a bad key and text that is no address are told apart")
    func refusals() throws {
        func open(_ bind: [String], _ key: Secret) throws {
            _ = try StandardIngest(.init(port: 0, bind: bind, key: key, bufferMs: 200), log: quiet) { _ in }
        }
        #expect(throws: IngestFailure.self) { try open(["192.0.2.77"], testKey) }
        #expect(throws: IngestFailure.self) { try open(["localhost"], testKey) }
        #expect(throws: IngestFailure.self) { try open(["127.0.0.1"], Secret("short")) }
        #expect(throws: IngestFailure.self) { try open(["127.0.0.1"], Secret("0123456789abcdef&aes-type=0")) }
        try open(["192.0.2.77", "127.0.0.1"], testKey)
    }
}
