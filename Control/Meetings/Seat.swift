package import Wire

/// Somebody who wants to come in.
package enum Comer: Hashable, Sendable {
    /// A user of the meeting's organisation.
    case user(Role, isCreator: Bool)
    /// Somebody without an account.
    ///
    /// - Parameter preset: what the guest link names that they came by; nil for none.
    case guest(preset: PresetName?)

    package var isGuest: Bool { if case .guest = self { true } else { false } }
}

/// What somebody is in a meeting, with what follows from it (MTG-26).
package struct Seat: Hashable, Sendable {
    package let role: MeetingRole
    package let preset: PresetName
    package let isGuest: Bool

    package var permissions: MeetingPermissions { Preset(preset).permissions }

    /// - Parameters:
    ///   - type: of the meeting.
    ///   - hostsRunAll: whether users of the role host are hosts in the meetings of others too.
    package init(of comer: Comer, in type: MeetingType, hostsRunAll: Bool) {
        isGuest = comer.isGuest
        role = Self.role(of: comer, in: type, hostsRunAll: hostsRunAll)
        preset = Self.preset(of: role, in: type)
    }

    /// Of somebody who was given another role.
    package init?(_ role: MeetingRole, in type: MeetingType, isGuest: Bool) {
        guard let preset = PresetName(of: type, for: role) else { return nil }
        self.role = role
        self.preset = preset
        self.isGuest = isGuest
    }

    private static func role(of comer: Comer, in type: MeetingType, hostsRunAll: Bool) -> MeetingRole {
        switch comer {
        case .user(.owner, _), .user(.admin, _), .user(.host, isCreator: true): .host
        case .user(.host, isCreator: false): hostsRunAll ? .coHost : .participant
        // Whoever made it and is a member by now runs meetings no more.
        case .user(.member, _): .participant
        case .guest(let preset?) where isGood(preset, in: type): preset.role
        case .guest: type == .webinar || type == .livestream ? .viewer : .guest
        }
    }

    /// What a guest link may make of somebody: nobody from outside is a host by it.
    package static func isGood(_ preset: PresetName, in type: MeetingType) -> Bool { preset.type == type && preset.role < .coHost }

    private static func preset(of role: MeetingRole, in type: MeetingType) -> PresetName {
        guard let preset = PresetName(of: type, for: role) else {
            preconditionFailure("each type has a preset for the roles that it gives")
        }
        return preset
    }
}

/// Who changes, starts and ends a meeting from outside of it: its creator and the organisation's admins (SEC-07).
package enum MeetingOwnership {
    package static func runs(_ role: Role, isCreator: Bool) -> Bool {
        switch role {
        case .owner, .admin: true
        case .host: isCreator
        case .member: false
        }
    }
}
