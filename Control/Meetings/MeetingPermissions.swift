/// Whether somebody sends sound or pictures of their own.
package enum MediaPermission: String, Codable, Sendable, CaseIterable {
    case allowed
    /// Once a host has agreed.
    case onRequest = "on_request"
    case denied
}

/// Who waits before they come in, where there is a waiting room (MTG-39).
package enum WaitingRule: String, Codable, Sendable, CaseIterable {
    case skip
    /// They come in with the first host.
    case untilHost = "until_host"
    /// Somebody lets them in, or not.
    case untilAdmitted = "until_admitted"
}

package enum PluginAccess: String, Codable, Sendable, CaseIterable { case none, view, full }

/// Of the rooms beside a meeting.
package enum BreakoutAccess: String, Codable, Sendable, CaseIterable {
    case none
    /// Goes from one to another.
    case move
    /// Makes and closes them, and moves others.
    case full
}

/// Whether it is no person but what records or sends on.
package enum RecorderKind: String, Codable, Sendable, CaseIterable { case none, recorder, livestreamer }

/// What is allowed or not. Once shipped a name is never changed.
package enum MeetingPermission: String, Codable, Sendable, CaseIterable, Comparable {
    case kick
    /// Somebody large in one's own picture.
    case pin
    /// Somebody large for all.
    case spotlight
    case disableAudio = "disable_audio"
    case disableVideo = "disable_video"
    case disableScreenShare = "disable_screen_share"
    /// Let those in who wait, or send them away.
    case admit
    /// Let those speak and be seen who ask for it.
    case acceptProduction = "accept_production"
    /// Give others another role.
    case changePermissions = "change_permissions"
    case record
    case livestream
    /// Change the name that others see.
    case rename
    case seeParticipants = "see_participants"
    /// Is not in the list of participants.
    case hidden
    case receivePublic = "chat_public_receive"
    case sendPublicText = "chat_public_text"
    case sendPublicFiles = "chat_public_files"
    case receivePrivate = "chat_private_receive"
    case sendPrivateText = "chat_private_text"
    case sendPrivateFiles = "chat_private_files"
    case createPolls = "poll_create"
    case vote = "poll_vote"
    case viewPolls = "poll_view"

    package static func < (left: MeetingPermission, right: MeetingPermission) -> Bool { left.rawValue < right.rawValue }
}

/// Everything that somebody may do in a meeting, or may not (MTG-27). It is held to on the server: what a page offers is made of it, and decides nothing.
package struct MeetingPermissions: Codable, Sendable, Hashable {
    package var audio: MediaPermission
    package var video: MediaPermission
    package var screenShare: MediaPermission
    package var waiting: WaitingRule
    package var plugins: PluginAccess
    package var breakout: BreakoutAccess
    package var recorder: RecorderKind
    package var allowed: Set<MeetingPermission>

    package init(
        audio: MediaPermission, video: MediaPermission, screenShare: MediaPermission, waiting: WaitingRule, plugins: PluginAccess = .none,
        breakout: BreakoutAccess = .none, recorder: RecorderKind = .none, allowed: Set<MeetingPermission>
    ) {
        self.audio = audio
        self.video = video
        self.screenShare = screenShare
        self.waiting = waiting
        self.plugins = plugins
        self.breakout = breakout
        self.recorder = recorder
        self.allowed = allowed
    }

    package func allows(_ permission: MeetingPermission) -> Bool { allowed.contains(permission) }

    /// Whether anything of theirs may ever be heard or seen: those take one of a meeting's places for guests, and wait.
    package var mayPublish: Bool { [audio, video, screenShare].contains { $0 != .denied } }

    private enum CodingKeys: String, CodingKey { case audio, video, screenShare, waiting, plugins, breakout, recorder, allowed }

    /// With the names in their order, so that equal ones are equal texts.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(audio, forKey: .audio)
        try container.encode(video, forKey: .video)
        try container.encode(screenShare, forKey: .screenShare)
        try container.encode(waiting, forKey: .waiting)
        try container.encode(plugins, forKey: .plugins)
        try container.encode(breakout, forKey: .breakout)
        try container.encode(recorder, forKey: .recorder)
        try container.encode(allowed.sorted(), forKey: .allowed)
    }
}
