package import Wire

/// What somebody wants to do in a meeting that runs.
package enum MeetingAct: Hashable, Sendable {
    // Their own sound and pictures.
    case speak, show, shareScreen
    // Somebody's, everybody's, or their own.
    case stopAudio, stopVideo, stopScreenShare
    // Somebody who is inside.
    case kick
    case giveRole(MeetingRole)
    case takeOnStage, pin, spotlight
    // Somebody who waits, or all who do.
    case admit, reject
    /// Change the name that others see, one's own or another's.
    case rename
    /// Whether somebody may write at all.
    case muteChat
    /// Pin what all read, or take it away.
    case moderateChat
    // The meeting itself.
    case lock, changeOptions, end, record, livestream, seeParticipants
    case write(Message), read(Channel)
    case createPoll, vote, viewPolls
    case seePlugins, runPlugins
    case changeRoom, runRooms

    package enum Channel: Hashable, Sendable, CaseIterable { case everybody, one }

    package struct Message: Hashable, Sendable {
        package let channel: Channel
        package let hasFile: Bool

        package init(to channel: Channel, hasFile: Bool) {
            self.channel = channel
            self.hasFile = hasFile
        }
    }

    /// Every one there is, with every role and message: for tables.
    package static let all: [MeetingAct] = simple + roles + messages

    private static let simple: [MeetingAct] = [
        .speak, .show, .shareScreen, .stopAudio, .stopVideo, .stopScreenShare, .kick, .takeOnStage, .pin, .spotlight, .admit, .reject,
        .rename, .muteChat, .moderateChat, .lock, .changeOptions, .end, .record, .livestream, .seeParticipants, .createPoll, .vote,
        .viewPolls, .seePlugins, .runPlugins, .changeRoom, .runRooms,
    ]
    private static let roles = MeetingRole.allCases.map { MeetingAct.giveRole($0) }
    private static let messages = Channel.allCases.flatMap { channel -> [MeetingAct] in
        [.read(channel), .write(Message(to: channel, hasFile: false)), .write(Message(to: channel, hasFile: true))]
    }
}

/// Somebody in a meeting, as far as it matters for what they may do and what may be done to them.
package struct Attendee: Hashable, Sendable {
    package let role: MeetingRole
    package let permissions: MeetingPermissions
    /// Whether they have been let in.
    package let isInside: Bool
    /// A host has taken the word from them.
    package let isChatMuted: Bool

    package init(role: MeetingRole, permissions: MeetingPermissions, isInside: Bool = true, isChatMuted: Bool = false) {
        self.role = role
        self.permissions = permissions
        self.isInside = isInside
        self.isChatMuted = isChatMuted
    }

    package init(_ seat: Seat, isInside: Bool = true) {
        self.init(role: seat.role, permissions: seat.permissions, isInside: isInside)
    }
}

/// To whom.
package enum MeetingTarget: Hashable, Sendable {
    /// Everybody, or the meeting itself.
    case all
    case oneself
    case other(Attendee)
}
