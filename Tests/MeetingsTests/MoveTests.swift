import Testing
import Wire

@testable import Meetings

@Suite("A meeting's state")
struct MoveTests {
    /// Every move that there is, and where it leads.
    private static let table: [MeetingState: [MeetingMove: MeetingState]] = [
        .draft: [.schedule: .scheduled, .start: .active, .cancel: .cancelled],
        .scheduled: [.schedule: .scheduled, .start: .active, .cancel: .cancelled],
        .active: [.end: .ended, .cancel: .cancelled],
        .ended: [.cancel: .cancelled],
        .cancelled: [:],
    ]

    @Test("is one of five, and moves that the table does not have are refused")
    func moves() {
        #expect(Set(Self.table.keys) == Set(MeetingState.allCases))
        for state in MeetingState.allCases {
            for move in MeetingMove.allCases { #expect(state.after(move) == Self.table[state]?[move], "\(state) \(move)") }
        }
    }

    @Test("lies ahead, runs or is over")
    func phases() {
        #expect(MeetingState.allCases.filter(\.isAhead) == [.draft, .scheduled])
        #expect(MeetingState.allCases.filter(\.isOver) == [.ended, .cancelled])
    }

    private static let terms: [(Int, MeetingTerm)] = [
        (0, .running), (-3600, .running), (2999, .running), (3000, .ending(minutes: 10)), (3539, .ending(minutes: 10)),
        (3540, .ending(minutes: 1)), (3599, .ending(minutes: 1)), (3600, .over), (100_000, .over),
    ]

    @Test("warns ten minutes and one minute before its time is over", arguments: terms)
    func term(_ seconds: Int, _ expected: MeetingTerm) {
        #expect(MeetingTerm(after: .seconds(seconds), limit: 60) == expected)
    }
}
