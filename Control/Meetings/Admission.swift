package import Wire

/// Who is in a meeting, as far as it matters for whoever comes next.
package struct Occupancy: Hashable, Sendable {
    /// Inside, viewers and guests with them.
    package var participants = 0
    /// Of those, guests who may be heard or seen.
    package var guests = 0
    package var waiting = 0
    package var hasHost = false

    package init(participants: Int = 0, guests: Int = 0, waiting: Int = 0, hasHost: Bool = false) {
        self.participants = participants
        self.guests = guests
        self.waiting = waiting
        self.hasHost = hasHost
    }
}

/// Whether somebody comes into a meeting now: decided before anything of it is set up for them.
package struct Admission: Hashable, Sendable {
    package enum Answer: Hashable, Sendable {
        case enters(Seat)
        /// It begins with them.
        case opens(Seat)
        case waits(Seat, WaitingRule)
        case refused(Refusal)
    }

    package enum Refusal: Error, Hashable, Sendable {
        /// A draft.
        case notYet
        case over
        case noGuests
        /// A host has locked it.
        case locked
        case full(limit: Int)
        case fullOfGuests(limit: Int)
        /// So many wait already.
        case crowded(limit: Int)
    }

    package let type: MeetingType
    package let state: MeetingState
    package let options: MeetingOptions
    package let isLocked: Bool
    package let occupancy: Occupancy

    package init(
        type: MeetingType, state: MeetingState, options: MeetingOptions, isLocked: Bool = false, occupancy: Occupancy = Occupancy()
    ) {
        self.type = type
        self.state = state
        self.options = options
        self.isLocked = isLocked
        self.occupancy = occupancy
    }

    package var guestLimit: Int { Self.guestLimit(options) }

    /// Guests who may be heard or seen have half of the places (SEC-13, decisions 33).
    package static func guestLimit(_ options: MeetingOptions) -> Int { options.maxParticipants / 2 }

    package func answer(to comer: Comer) -> Answer {
        let seat = Seat(of: comer, in: type, hostsRunAll: options.hostsRunAll)
        if let refusal = refusal(of: seat) { return .refused(refusal) }
        // Whoever may end it may begin it.
        if state == .scheduled, seat.role == .host { return .opens(seat) }
        guard let rule = waiting(of: seat) else { return .enters(seat) }
        let limit = options.maxParticipants
        return occupancy.waiting < limit ? .waits(seat, rule) : .refused(.crowded(limit: limit))
    }

    private func refusal(of seat: Seat) -> Refusal? {
        switch state {
        case .draft: return .notYet
        case .ended, .cancelled: return .over
        case .scheduled, .active: break
        }
        if seat.isGuest, options.guestAccess == .disabled { return .noGuests }
        if isLocked, seat.role != .host { return .locked }
        if occupancy.participants >= options.maxParticipants { return .full(limit: options.maxParticipants) }
        if seat.isGuest, seat.permissions.mayPublish, occupancy.guests >= guestLimit { return .fullOfGuests(limit: guestLimit) }
        return nil
    }

    /// - Returns: nil for who comes in at once.
    private func waiting(of seat: Seat) -> WaitingRule? {
        if seat.isGuest, seat.permissions.mayPublish {
            // MTG-40: nobody from outside comes in unseen, whatever holds for members.
            return options.guestAccess == .linkOnly || options.waitingRoom || state == .scheduled ? .untilAdmitted : nil
        }
        if state == .scheduled { return .untilHost }
        switch seat.permissions.waiting {
        case .skip: return nil
        case .untilHost: return options.waitingRoom && !occupancy.hasHost ? .untilHost : nil
        case .untilAdmitted: return options.waitingRoom ? .untilAdmitted : nil
        }
    }

    /// Whether somebody who waits comes in by the arrival of a host alone (MTG-39).
    package static func entersWithHost(_ rule: WaitingRule) -> Bool { rule != .untilAdmitted }
}
