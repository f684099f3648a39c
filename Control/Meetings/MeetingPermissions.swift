package import Wire

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
