// What people do in a room to each other and to the room: bodies of `RoomOrder` and `RoomMessage`.

/// What somebody sends, as people speak of it: their sound, their camera, their screen.
package enum RoomMedia: String, Codable, Sendable, Hashable, CaseIterable {
    case audio, video, screen

    /// Of a track, by what its section is said to show.
    package init(_ kind: TrackKind, _ source: TrackSource) {
        switch (kind, source) {
        // Whatever it is called: a microphone under another name is no other sound.
        case (.audio, _): self = .audio
        case (.video, .screen), (.video, .screenSound): self = .screen
        case (.video, .camera), (.video, .microphone), (.video, .other): self = .video
        }
    }
}

/// `remove`.
package struct RoomRemoval: Codable, Sendable, Hashable {
    package var participant: ParticipantID
    /// Whether their pass lets them in again; nil: no.
    package var mayReturn: Bool?

    package init(participant: ParticipantID, mayReturn: Bool? = nil) {
        self.participant = participant
        self.mayReturn = mayReturn
    }
}

/// `stop`: it goes on to nobody until they turn it on again.
package struct RoomStop: Codable, Sendable, Hashable {
    /// nil: everybody's, but that of whoever asks and of those above them.
    package var participant: ParticipantID?
    package var media: RoomMedia

    package init(participant: ParticipantID? = nil, media: RoomMedia) {
        self.participant = participant
        self.media = media
    }
}

/// `turn`: one's own.
package struct RoomTurn: Codable, Sendable, Hashable {
    package var media: RoomMedia
    package var isOn: Bool

    package init(media: RoomMedia, isOn: Bool) {
        self.media = media
        self.isOn = isOn
    }
}

/// `rename`.
package struct RoomRename: Codable, Sendable, Hashable {
    /// nil: whoever asks.
    package var participant: ParticipantID?
    package var name: String

    package init(participant: ParticipantID? = nil, name: String) {
        self.participant = participant
        self.name = name
    }
}

/// `promote`: up or down.
package struct RoomPromotion: Codable, Sendable, Hashable {
    package var participant: ParticipantID
    package var role: MeetingRole

    package init(participant: ParticipantID, role: MeetingRole) {
        self.participant = participant
        self.role = role
    }
}

/// `spotlight`: those who are large for all, in their order.
package struct RoomSpotlight: Codable, Sendable, Hashable {
    package var participants: [ParticipantID]
    package init(participants: [ParticipantID]) { self.participants = participants }
}

/// `lock` and `switch-chat`.
package struct RoomSwitch: Codable, Sendable, Hashable {
    package var isOn: Bool
    package init(isOn: Bool) { self.isOn = isOn }
}

/// `mute-chat`: whether somebody may write at all.
package struct RoomChatMute: Codable, Sendable, Hashable {
    package var participant: ParticipantID
    package var isMuted: Bool

    package init(participant: ParticipantID, isMuted: Bool) {
        self.participant = participant
        self.isMuted = isMuted
    }
}

/// `hand`: raised by oneself, taken down by oneself or a host. Who speaks by leave alone asks for it so.
package struct RoomHand: Codable, Sendable, Hashable {
    /// nil: whoever asks.
    package var participant: ParticipantID?
    package var isUp: Bool

    package init(participant: ParticipantID? = nil, isUp: Bool) {
        self.participant = participant
        self.isUp = isUp
    }
}

/// `allow`: what somebody may send who needs leave for it; their hand is taken down by it.
package struct RoomLeave: Codable, Sendable, Hashable {
    package var participant: ParticipantID
    /// None: it is taken back.
    package var media: [RoomMedia]

    package init(participant: ParticipantID, media: [RoomMedia]) {
        self.participant = participant
        self.media = media
    }
}

/// What rises over the room for a moment. Once shipped a name is never changed.
package enum RoomReaction: String, Codable, Sendable, Hashable, CaseIterable {
    case thumbsUp = "thumbs-up"
    case thumbsDown = "thumbs-down"
    case heart, clap, laugh, party, surprise, sad
}

/// `react`.
package struct RoomReacting: Codable, Sendable, Hashable {
    package var reaction: RoomReaction
    package init(reaction: RoomReaction) { self.reaction = reaction }
}

/// `cast`: what programs of pages say to those of all others.
package struct RoomCast: Codable, Sendable, Hashable {
    /// Of letters, digits, dots and hyphens.
    package var type: String
    package var payload: String

    package static let typeBytes = 1...64
    package static let payloadBytes = 4096

    package init(type: String, payload: String) {
        self.type = type
        self.payload = payload
    }
}

// MARK: What is told

/// What holds in a room, beside who is in it.
package struct RoomConditions: Codable, Sendable, Hashable {
    /// Nobody else comes in but hosts.
    package var isLocked: Bool
    package var hasChat: Bool
    /// Large for all, in their order.
    package var spotlight: [ParticipantID]
    /// Milliseconds since 1970: the meeting is over then, whoever is in it; nil where it is not.
    package var endsAtMs: Int64?

    package init(isLocked: Bool = false, hasChat: Bool = true, spotlight: [ParticipantID] = [], endsAtMs: Int64? = nil) {
        self.isLocked = isLocked
        self.hasChat = hasChat
        self.spotlight = spotlight
        self.endsAtMs = endsAtMs
    }
}

package struct RoomConditionsChange: Codable, Sendable, Hashable {
    package var seq: Int
    package var conditions: RoomConditions

    package init(seq: Int, conditions: RoomConditions) {
        self.seq = seq
        self.conditions = conditions
    }
}

package struct RoomReacted: Codable, Sendable, Hashable {
    package var seq: Int
    /// nil where they are not shown.
    package var participant: ParticipantID?
    package var reaction: RoomReaction

    package init(seq: Int, participant: ParticipantID?, reaction: RoomReaction) {
        self.seq = seq
        self.participant = participant
        self.reaction = reaction
    }
}

package struct RoomCasted: Codable, Sendable, Hashable {
    package var seq: Int
    package var participant: ParticipantID
    package var type: String
    package var payload: String

    package init(seq: Int, participant: ParticipantID, type: String, payload: String) {
        self.seq = seq
        self.participant = participant
        self.type = type
        self.payload = payload
    }
}

/// Changes up to this one are not for whoever is told it: behind it the next one comes.
package struct RoomPassed: Codable, Sendable, Hashable {
    package var seq: Int
    package init(seq: Int) { self.seq = seq }
}

/// What somebody may do now, for themselves alone: the server holds to it, whatever a page offers.
package struct RoomRights: Codable, Sendable, Hashable {
    package var role: MeetingRole
    package var preset: PresetName
    package var audio: MediaPermission
    package var video: MediaPermission
    package var screenShare: MediaPermission
    package var allowed: [MeetingPermission]
    /// A host has taken the word from them.
    package var isChatMuted: Bool

    package init(
        role: MeetingRole, preset: PresetName, audio: MediaPermission, video: MediaPermission, screenShare: MediaPermission,
        allowed: [MeetingPermission], isChatMuted: Bool
    ) {
        self.role = role
        self.preset = preset
        self.audio = audio
        self.video = video
        self.screenShare = screenShare
        self.allowed = allowed
        self.isChatMuted = isChatMuted
    }
}
