import Store
import Testing
import Units
import Wire

@testable import API

@Suite("Guests who wait")
struct WaitingListTests {
    private let meeting = MeetingID("01ARZ3NDEKTSV4RRFFQ69G5001")!
    private let other = MeetingID("01ARZ3NDEKTSV4RRFFQ69G5002")!
    private let house = OrganizationID("01ARZ3NDEKTSV4RRFFQ69G5003")!
    private let neighbour = OrganizationID("01ARZ3NDEKTSV4RRFFQ69G5004")!
    private let start = Timestamp(unixMs: 1_000_000)

    private func guest(
        _ number: UInt64, at meeting: MeetingID? = nil, of organization: OrganizationID? = nil, from place: String = "a",
        since: Timestamp? = nil
    ) -> WaitingList.Guest {
        var random = Numbers(number: number)
        return WaitingList.Guest(
            id: WaitingGuestID(ULID(unixMs: 0, random: &random)), organization: organization ?? house,
            meeting: meeting ?? self.meeting, slug: "0123456789", name: "Gina \(number)", preset: .videoGuest, linkPreset: nil, link: nil,
            place: place, since: since ?? start)
    }

    private struct Numbers: RandomNumberGenerator {
        let number: UInt64
        mutating func next() -> UInt64 { number }
    }

    @Test("ask again by their secret, are let in or sent away by whoever decides about their meeting, once")
    func decisions() {
        var list = WaitingList()
        let (gina, hans) = (guest(1), guest(2, since: start + .seconds(1)))
        let came = [list.knock(gina, as: [1]), list.knock(hans, as: [2])]
        #expect(came == [true, true])
        let now = start + .seconds(2)
        #expect(list.ask([1], at: now) == WaitingList.Standing(guest: gina, decision: nil, pass: nil))
        #expect(list.ask([3], at: now) == nil)
        #expect(list.waiting(at: meeting, at: now) == [gina, hans] && list.waiting(at: other, at: now).isEmpty)
        let byAnother = list.decide(gina.id, at: other, .admitted, at: now)
        #expect(!byAnother, "it is another meeting's host")
        let admitted = list.decide(gina.id, at: meeting, .admitted, at: now)
        let refused = list.decide(hans.id, at: meeting, .refused, at: now)
        let twice = list.decide(gina.id, at: meeting, .refused, at: now)
        #expect(admitted && refused && !twice)
        #expect(list.ask([1], at: now)?.decision == .admitted)
        #expect(list.ask([2], at: now)?.decision == .refused)
        #expect(list.waiting(at: meeting, at: now).isEmpty)
    }

    @Test("are gone when they are silent, and after ten minutes, and a clock that was set back keeps nobody longer")
    func time() {
        var list = WaitingList()
        var came = [list.knock(guest(1), as: [1])]
        #expect(list.waiting(at: meeting, at: start + .seconds(91)).isEmpty)
        #expect(list.ask([1], at: start + .seconds(91)) == nil)
        came.append(list.knock(guest(2), as: [2]))
        for seconds in stride(from: 20, to: 600, by: 20) { #expect(list.ask([2], at: start + .seconds(seconds)) != nil) }
        #expect(list.ask([2], at: start + .seconds(600)) == nil)
        came.append(list.knock(guest(3), as: [3]))
        #expect(list.ask([3], at: start - .seconds(91)) == nil)
        #expect(came == [true, true, true])
    }

    @Test("get one pass, however often they ask for it, and their place has so many of them")
    func bounds() {
        var list = WaitingList()
        var came = [list.knock(guest(1), as: [1])]
        let (first, second) = (list.begin([1]), list.begin([1]))
        #expect(first && !second)
        list.end([1], nil)
        let again = list.begin([1])
        #expect(again, "it came to nothing")
        let pass = RoomPassView(url: "u", token: "t", expiresAt: "e")
        list.end([1], pass)
        let late = list.begin([1])
        #expect(!late)
        #expect(list.ask([1], at: start)?.pass == pass)
        for number in 2...UInt64(WaitingList.perPlace) { came.append(list.knock(guest(number), as: [UInt8(number)])) }
        #expect(came == Array(repeating: true, count: WaitingList.perPlace))
        let more = [
            list.knock(guest(50), as: [50]), list.knock(guest(51, from: "b"), as: [51]), list.knock(guest(52, at: other), as: [52]),
        ]
        #expect(more == [false, true, true])
    }

    @Test("are so many before all meetings of one organisation, and keep nobody from another's")
    func organizations() {
        var list = WaitingList()
        var came = 0
        for number in 1...UInt64(WaitingList.perOrganization + 1)
        where list.knock(guest(number, from: "place \(number)"), as: Self.key(number)) { came += 1 }
        #expect(came == WaitingList.perOrganization)
        let elsewhere = list.knock(guest(5000, at: other, of: neighbour), as: Self.key(5000))
        #expect(elsewhere)
    }

    private static func key(_ number: UInt64) -> [UInt8] { [UInt8(number >> 8 & 0xff), UInt8(number & 0xff)] }
}
