import Foundation
import Ingest
import Posix
import RIST
import Testing
import Units

@Suite(.serialized) struct IngestTests {
    @Test("a stream over three sources comes through the guard whole and in order, with a report for each")
    func delivers() async throws {
        let media = Media()
        let ingest = try Ingest(port: 0, bind: ["127.0.0.1"], key: testKey, bufferMs: 300, log: quiet, onMedia: media.take)
        let encoder = try Encoder(bufferMs: 300)
        try await encoder.connect(ingest.addresses[0], peers: 3)
        try await encoder.send(0..<500)
        try await media.wait(for: 499)
        #expect(media.numbers == Array(media.numbers[0]..<500))
        #expect(media.numbers[0] <= 1)
        let statistics = ingest.statistics()
        #expect(statistics.paths.count == 3)
        #expect(statistics.paths.allSatisfy { $0.packetsTotal > 100 && $0.rttMs != nil })
        #expect(statistics.lostPacketsTotal == 0)
        #expect(statistics.guardDropped.total == 0)
        #expect(statistics.bitrate.kilobits > 1000)
        ingest.stop()
        withExtendedLifetime(encoder) {}
    }
}
