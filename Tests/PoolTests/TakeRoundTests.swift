import Testing
import Units
import Wire

@testable import Pool

@Suite struct TakeRoundTests {
    private static func take(_ number: Int, files: Int) throws -> RecordedTake {
        let text = String(repeating: "0", count: 26 - String(number).count) + String(number)
        let file = RecordedFile(number: 1, bytes: 1, sha256: "", beganAtMs: 0, durationMs: 1, codecs: "", width: nil, height: nil)
        let (lease, recording) = (try #require(LeaseID(text)), try #require(RecordingID(text)))
        return RecordedTake(
            lease: lease, recording: recording, organization: try #require(OrganizationID(text)),
            files: Array(repeating: file, count: files), damagedFragments: 0)
    }

    @Test("where one list has no place for all takes each has its turn, also behind those that nobody takes")
    func turns() throws {
        let all = try (1...5).map { try Self.take($0, files: 100) }
        var round = TakeRound()
        let lists = (0..<3).map { _ in round.next(of: all) }
        #expect(lists == [Array(all[0..<2]), Array(all[2..<4]), [all[4], all[0]]])
        // With fewer of them all are told each time, the oldest first.
        let few = Array(all[..<2])
        _ = round.next(of: few)
        let again = round.next(of: few)
        #expect(again == few)
        let none = round.next(of: [])
        #expect(none.isEmpty)
    }

    @Test("a take with as many files as one may have is told, and one with more holds nobody up")
    func large() throws {
        let most = WireLimits.takeFiles
        let all = try [(1, most + 1), (2, most), (3, 0)].map { try Self.take($0.0, files: $0.1) }
        var round = TakeRound()
        let told = round.next(of: all)
        #expect(told == Array(all[1...]))
    }
}
