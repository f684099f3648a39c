import Meetings
import Posix
import Testing
import Units
import Wire

@testable import Rooms

/// A meeting's room with people of each role in it, and the numbers that come from outside of it.
struct RoomTable {
    var state: RoomState
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private var connections = 0
    private var messages: Int64 = 1_800_000_000_000

    init(
        _ type: MeetingType = .video, settings: MeetingSettings = MeetingSettings(), locked: Set<MeetingSetting> = [],
        _ change: (inout RoomState.Limits) -> Void = { _ in }
    ) {
        var limits = RoomState.Limits()
        change(&limits)
        let options = SettingLevels(organization: settings, locked: locked, mostParticipants: 100).effective
        let charter = RoomCharter(
            organization: Self.fresh(), meeting: Self.fresh(), type: type, options: options, locked: locked, endsAtMs: 5)
        state = RoomState(limits, charter, seq: 1000)
    }

    static func fresh<Kind>() -> ID<Kind> {
        var random = SystemRandomNumberGenerator()
        return ID(ULID(unixMs: unixMilliseconds(), random: &random))
    }

    @discardableResult
    mutating func join(_ name: String, _ role: MeetingRole, pass: String? = nil) throws -> ParticipantID {
        connections += 1
        let holder = RoomPass.Holder(
            id: pass ?? "pass of \(name)", name: name, role: .shown(role, isGuest: role == .guest || role == .viewer), account: nil,
            standing: role)
        return try state.join(
            holder, until: 100, as: Self.fresh(), over: connections, resume: Array("token of \(name)".utf8), at: 0, now: now
        ).participant
    }

    mutating func wait(_ duration: Duration) { now = now + duration }

    /// - Returns: the message, where it was taken.
    @discardableResult
    mutating func say(_ text: String, to: ParticipantID? = nil, by id: ParticipantID) throws -> ChatMessageID {
        messages += 1
        var random = SystemRandomNumberGenerator()
        let message = ChatMessageID(ULID(unixMs: messages, random: &random))
        try state.say(RoomSaying(text: text, to: to), by: id, as: message, atMs: messages, at: now)
        return message
    }

    /// Why something is refused; nil where it is done.
    mutating func reason(_ body: (inout RoomTable) throws -> Void) -> RoomRefused.Reason? {
        do {
            try body(&self)
            return nil
        } catch {
            #expect((error as? RoomRefusal)?.text.isEmpty == false)
            return (error as? RoomRefusal)?.reason
        }
    }

    /// The changes that somebody is told from a number on, by their types, and whether their numbers have no gap.
    func told(_ id: ParticipantID, since seq: Int) -> [RoomMessage] {
        state.next(of: id, after: RoomState.Cursor(seq: seq)).messages.filter { $0.seq != nil }
    }
}

extension RoomMessage {
    /// Of a change; nil for what is for one alone.
    var seq: Int? {
        switch self {
        case .snapshot(let body): body.seq
        case .participant(let body): body.seq
        case .left(let body): body.seq
        case .conditions(let body): body.seq
        case .chat(let body): body.seq
        case .unsaid(let body): body.seq
        case .reaction(let body): body.seq
        case .cast(let body): body.seq
        case .passed(let body): body.seq
        case .done, .refused, .rights, .offer, .ended, .over, .alive, .unknown: nil
        }
    }
}
