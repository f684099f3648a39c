import Posix
import Testing
import Units

@testable import Fleet

@Suite("Whether a sender came or is gone")
struct PresenceTests {
    private let one = DeviceID("01ARZ3NDEKTSV4RRFFQ69G5001")!
    private let other = DeviceID("01ARZ3NDEKTSV4RRFFQ69G5002")!
    private let start = Instant.now

    @Test("is told when it comes, and when it was away for a while, once each; a short absence is not told")
    func away() {
        var presence = Presence(told: [], at: start)
        func look(_ online: Set<DeviceID>, _ seconds: Int) -> String {
            let (came, gone) = presence.look(online, at: start + .seconds(seconds))
            presence.wasTold(came: came, gone: gone)
            return "\(came.count) \(gone.count)"
        }
        #expect(look([], 0) == "0 0" && look([one], 1) == "1 0" && look([one, other], 2) == "1 0" && look([one, other], 3) == "0 0")
        #expect(look([other], 10) == "0 0" && look([other], 19) == "0 0" && look([one, other], 19) == "0 0")
        // Its absence counts anew.
        #expect(look([other], 20) == "0 0" && look([other], 29) == "0 0" && look([other], 30) == "0 1" && look([other], 31) == "0 0")
        #expect(look([one, other], 32) == "1 0")
    }

    @Test("is not forgotten while it cannot be stored")
    func untold() {
        var presence = Presence(told: [], at: start)
        for second in 0..<3 { #expect(presence.look([one], at: start + .seconds(second)).came == [one]) }
        presence.wasTold(came: [one], gone: [])
        for second in [3, 13, 14] { #expect((presence.look([], at: start + .seconds(second)).gone == [one]) == (second > 3)) }
    }

    @Test("waits longer after a start, until boards have dialled again")
    func restart() {
        var presence = Presence(told: [one, other], at: start)
        #expect(presence.look([], at: start + .seconds(44)).gone == [])
        // It is back as it was.
        #expect(presence.look([other], at: start + .seconds(44)).came == [])
        let (came, gone) = presence.look([other], at: start + .seconds(45))
        #expect(came == [] && gone == [one])
    }
}
