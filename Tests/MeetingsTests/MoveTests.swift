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

    @Test(
        "warns ten minutes and one minute before its time is over",
        arguments: [
            (0, MeetingTerm.running), (-3600, .running), (50 * 60 - 1, .running), (50 * 60, .ending(minutes: 10)),
            (59 * 60 - 1, .ending(minutes: 10)), (59 * 60, .ending(minutes: 1)), (60 * 60 - 1, .ending(minutes: 1)), (60 * 60, .over),
            (100_000, .over),
        ])
    func term(_ seconds: Int, _ expected: MeetingTerm) {
        #expect(MeetingTerm(after: .seconds(seconds), limit: 60) == expected)
    }
}
