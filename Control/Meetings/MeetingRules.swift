package import Wire

/// Whether somebody may do something to somebody in a meeting that runs (MTG-27, MTG-34, MTG-43): the one place that says so, for pages, programs
/// and whoever speaks to the server by themselves.
package struct MeetingRules: Hashable, Sendable {
    package enum Ruling: Hashable, Sendable {
        case allowed
        /// Once a host has agreed.
        case onRequest
        case refused(Reason)
    }

    package enum Reason: String, Sendable, CaseIterable {
        /// Who waits does nothing, and gets nothing done to them but to be let in or sent away.
        case outside
        /// Their preset does not have it.
        case permission
        /// Whoever it would be done to is of the same rank or above.
        case rank
        /// The meeting does without it.
        case off
        /// A host has taken the word from them.
        case muted
        /// It is done to nobody of that kind.
        case target
    }

    package let options: MeetingOptions

    package init(_ options: MeetingOptions) { self.options = options }

    package func ruling(on act: MeetingAct, by actor: Attendee, to target: MeetingTarget) -> Ruling {
        guard actor.isInside else { return .refused(.outside) }
        switch act {
        case .speak: return own(actor.permissions.audio, target)
        case .show: return own(actor.permissions.video, target)
        case .shareScreen: return own(actor.permissions.screenShare, target)
        case .stopAudio: return stopping(.disableAudio, actor, target)
        case .stopVideo: return stopping(.disableVideo, actor, target)
        case .stopScreenShare: return stopping(.disableScreenShare, actor, target)
        case .kick: return other(.kick, actor, target, isAbove: true)
        case .giveRole(let role): return giving(role, actor, target)
        case .takeOnStage: return other(.acceptProduction, actor, target, isAbove: false)
        case .pin: return looking(.pin, actor, target)
        case .spotlight: return looking(.spotlight, actor, target)
        case .admit, .reject: return door(actor, target)
        case .rename: return renaming(actor, target)
        case .muteChat: return mutingChat(actor, target)
        case .lock, .changeOptions, .moderateChat: return whole(actor.role >= .coHost, target)
        case .end: return whole(actor.role == .host, target)
        case .record: return whole(actor.permissions.allows(.record), target)
        case .livestream: return whole(actor.permissions.allows(.livestream), target)
        case .seeParticipants: return whole(actor.permissions.allows(.seeParticipants), target)
        case .write(let message): return writing(message, actor, target)
        case .read(let channel): return reading(channel, actor, target)
        case .createPoll: return whole(actor.permissions.allows(.createPolls), target)
        case .vote: return whole(actor.permissions.allows(.vote), target)
        case .viewPolls: return whole(actor.permissions.allows(.viewPolls), target)
        case .seePlugins: return whole(actor.permissions.plugins != .none, target)
        case .runPlugins: return whole(actor.permissions.plugins == .full, target)
        case .changeRoom: return own(actor.permissions.breakout == .none ? .denied : .allowed, target)
        case .runRooms: return whole(actor.permissions.breakout == .full, target)
        }
    }

    private static func allowed(_ isAllowed: Bool, else reason: Reason = .permission) -> Ruling {
        isAllowed ? .allowed : .refused(reason)
    }

    /// What somebody does with what is theirs.
    private func own(_ permission: MediaPermission, _ target: MeetingTarget) -> Ruling {
        guard target == .oneself else { return .refused(.target) }
        switch permission {
        case .allowed: return .allowed
        case .onRequest: return .onRequest
        case .denied: return .refused(.permission)
        }
    }

    /// What is done to the meeting.
    private func whole(_ isAllowed: Bool, _ target: MeetingTarget) -> Ruling {
        guard target == .all else { return .refused(.target) }
        return Self.allowed(isAllowed)
    }

    /// What is done to somebody else who is inside.
    ///
    /// - Parameter isAbove: whether it takes a higher rank than theirs.
    private func other(_ permission: MeetingPermission, _ actor: Attendee, _ target: MeetingTarget, isAbove: Bool) -> Ruling {
        guard case .other(let one) = target else { return .refused(.target) }
        guard actor.permissions.allows(permission) else { return .refused(.permission) }
        guard one.isInside else { return .refused(.outside) }
        return Self.allowed(!isAbove || actor.role > one.role, else: .rank)
    }

    /// One's own always. Of others also among equals: a microphone that was left open is heard by all.
    private func stopping(_ permission: MeetingPermission, _ actor: Attendee, _ target: MeetingTarget) -> Ruling {
        switch target {
        case .oneself: return .allowed
        case .all: return Self.allowed(actor.permissions.allows(permission))
        case .other(let one):
            guard actor.permissions.allows(permission) else { return .refused(.permission) }
            guard one.isInside else { return .refused(.outside) }
            return Self.allowed(actor.role >= one.role, else: .rank)
        }
    }

    /// Up to one's own rank and never to a host's by right; of those below.
    private func giving(_ role: MeetingRole, _ actor: Attendee, _ target: MeetingTarget) -> Ruling {
        let ruling = other(.changePermissions, actor, target, isAbove: true)
        guard ruling == .allowed else { return ruling }
        return Self.allowed(role != .host && role <= actor.role, else: .rank)
    }

    private func looking(_ permission: MeetingPermission, _ actor: Attendee, _ target: MeetingTarget) -> Ruling {
        guard actor.permissions.allows(permission) else { return .refused(.permission) }
        switch target {
        case .all: return .refused(.target)
        case .oneself: return .allowed
        case .other(let one): return Self.allowed(one.isInside, else: .outside)
        }
    }

    private func door(_ actor: Attendee, _ target: MeetingTarget) -> Ruling {
        guard actor.permissions.allows(.admit) else { return .refused(.permission) }
        switch target {
        case .all: return .allowed
        case .oneself: return .refused(.target)
        case .other(let one): return Self.allowed(!one.isInside, else: .target)
        }
    }

    private func renaming(_ actor: Attendee, _ target: MeetingTarget) -> Ruling {
        if target == .oneself { return Self.allowed(actor.permissions.allows(.rename)) }
        return other(.rename, actor, target, isAbove: true)
    }

    private func mutingChat(_ actor: Attendee, _ target: MeetingTarget) -> Ruling {
        guard actor.role >= .coHost else { return .refused(.permission) }
        guard case .other(let one) = target else { return .refused(.target) }
        guard one.isInside else { return .refused(.outside) }
        return Self.allowed(actor.role > one.role, else: .rank)
    }

    /// A private message goes to somebody who may have some.
    private func writing(_ message: MeetingAct.Message, _ actor: Attendee, _ target: MeetingTarget) -> Ruling {
        let permission: MeetingPermission =
            switch message.channel {
            case .everybody: message.hasFile ? .sendPublicFiles : .sendPublicText
            case .one: message.hasFile ? .sendPrivateFiles : .sendPrivateText
            }
        guard actor.permissions.allows(permission) else { return .refused(.permission) }
        guard options.chat else { return .refused(.off) }
        guard !actor.isChatMuted else { return .refused(.muted) }
        switch (message.channel, target) {
        case (.everybody, .all): return .allowed
        case (.one, .other(let one)):
            guard one.isInside else { return .refused(.outside) }
            return Self.allowed(one.permissions.allows(.receivePrivate), else: .target)
        case (.everybody, .oneself), (.everybody, .other), (.one, .all), (.one, .oneself): return .refused(.target)
        }
    }

    private func reading(_ channel: MeetingAct.Channel, _ actor: Attendee, _ target: MeetingTarget) -> Ruling {
        guard target == .all else { return .refused(.target) }
        guard actor.permissions.allows(channel == .everybody ? .receivePublic : .receivePrivate) else { return .refused(.permission) }
        return Self.allowed(options.chat, else: .off)
    }
}
