import Auth
import Meetings
import Rooms
import Store
import Units
import Wire

/// From a meeting's door into its room: whoever is let in gets a pass for it, as for any other room, and joins by that.
struct MeetingEntrance: Sendable {
    private let parts: Gateway.Parts

    /// Within which one comes in, or again. Source: decisions 4 and 34; a member asks for another one.
    private static let guestTime = Duration.seconds(14_400)
    private static let memberTime = Duration.seconds(300)

    init(_ parts: Gateway.Parts) { self.parts = parts }

    /// Whether somebody comes in now, by who is there and who waits.
    func answer(to comer: Comer, of meeting: Meeting, _ options: MeetingOptions) async -> Admission.Answer {
        let now = parts.store.now
        var occupancy = Occupancy(waiting: parts.waiting.withLock { $0.waiting(at: meeting.id, at: now).count })
        if let room = meeting.room {
            let there = await parts.sessions.headcount(in: room)
            occupancy.participants = there.all
            occupancy.guests = there.sendingGuests
            occupancy.hasHost = there.hosts > 0
        }
        return Admission(type: meeting.type, state: meeting.state, options: options, occupancy: occupancy).answer(to: comer)
    }

    /// A guest who comes in is counted, of each meeting: they leave room for its members, who are counted with them.
    func countGuest(_ meeting: Meeting) throws {
        try parts.guestJoins.take(meeting.id.text, at: parts.store.now)
        try count(meeting)
    }

    /// Whoever comes in is counted, of each meeting and of each organisation.
    func count(_ meeting: Meeting) throws {
        try parts.meetingJoins.take(meeting.id.text, at: parts.store.now)
        try parts.organizationJoins.take(meeting.organization.text, at: parts.store.now)
    }

    /// - Parameters:
    ///   - name: as everybody is shown it, checked.
    ///   - account: nil for a guest.
    func pass(
        into room: RoomID, of meeting: Meeting, _ options: MeetingOptions, _ seat: Seat, as name: String,
        of account: RoomPass.Account? = nil
    ) throws -> RoomPassView {
        let end = parts.store.now + (account == nil ? Self.guestTime : Self.memberTime)
        let holder = RoomPass.Holder(
            id: RoomPass.Holder.freshID(), name: name, role: RoomRole(seat), account: account, sends: seat.permissions.sends,
            places: options.maxParticipants, guestPlaces: Admission.guestLimit(options), rank: seat.role.rank)
        let pass = RoomPass(room: room, organization: meeting.organization, use: .join, exp: end.unixSeconds, holder: holder)
        return try parts.view(of: pass, until: end)
    }

    /// Why somebody does not come in, for whoever may know that there is a meeting.
    func problem(_ refusal: Admission.Refusal) -> Problem {
        switch refusal {
        case .notYet: Problem(.conflict, "the meeting is a draft: it is to be scheduled or started first")
        case .over: Problem(.conflict, "the meeting is over")
        case .noGuests: Problem(.conflict, "no guests come to this meeting")
        case .locked: Problem(.conflict, "a host has locked the meeting: nobody else comes in")
        case .full(let limit): Problem(.conflict, "the meeting is full: \(limit) may be in it")
        case .fullOfGuests(let limit): Problem(.conflict, "the meeting is full: \(limit) of those in it may be guests")
        case .crowded(let limit): Problem(.conflict, "\(limit) wait to be let into the meeting already: come back later")
        }
    }
}

extension RoomRole {
    init(_ seat: Seat) { self = seat.role >= .coHost ? .host : seat.isGuest ? .guest : .member }
}

extension MeetingPermissions {
    /// What they send without asking anybody: who has to be allowed first sends nothing yet.
    var sends: Set<TrackKind> {
        var kinds: Set<TrackKind> = []
        if audio == .allowed { kinds.insert(.audio) }
        if video == .allowed || screenShare == .allowed { kinds.insert(.video) }
        return kinds
    }
}
