import Testing
import Wire

@testable import Meetings

@Suite("In a meeting")
struct RulesTests {
    private static func rules(chat: Bool = true) -> MeetingRules {
        MeetingRules(SettingLevels(organization: MeetingSettings(chat: chat), mostParticipants: 100).effective)
    }

    private static func seated(_ role: MeetingRole, _ preset: PresetName, isInside: Bool = true, isChatMuted: Bool = false) -> Attendee {
        Attendee(role: role, permissions: Preset(preset).permissions, isInside: isInside, isChatMuted: isChatMuted)
    }

    private static let host = seated(.host, .videoHost)
    private static let coHost = seated(.coHost, .videoHost)
    private static let participant = seated(.participant, .videoParticipant)
    private static let guest = seated(.guest, .videoGuest)
    private static let viewer = seated(.viewer, .webinarViewer)
    private static let speaker = seated(.participant, .webinarParticipant)
    private static let waiting = seated(.guest, .videoGuest, isInside: false)
    private static let all = [host, coHost, participant, guest, viewer]

    /// What each of `actors` is told: `+` allowed, `?` on request, else the reason's first letter.
    private func signs(
        _ act: MeetingAct, _ target: MeetingTarget, by actors: [Attendee] = Self.all, _ rules: MeetingRules = Self.rules()
    ) -> String {
        actors.map { actor in
            switch rules.ruling(on: act, by: actor, to: target) {
            case .allowed: "+"
            case .onRequest: "?"
            case .refused(let reason): String(reason.rawValue.prefix(1))
            }
        }.joined()
    }

    @Test("who waits does nothing at all, whatever their preset is")
    func outside() {
        let waitingHost = Self.seated(.host, .videoHost, isInside: false)
        for act in MeetingAct.all {
            for target in [MeetingTarget.all, .oneself, .other(Self.guest), .other(Self.waiting)] {
                #expect(Self.rules().ruling(on: act, by: waitingHost, to: target) == .refused(.outside), "\(act)")
            }
        }
    }

    @Test("who only watches does nothing but read, vote and see what is voted")
    func watching() {
        let targets = [MeetingTarget.all, .oneself, .other(Self.host), .other(Self.viewer), .other(Self.waiting)]
        let allowed = MeetingAct.all.filter { act in
            targets.contains { Self.rules().ruling(on: act, by: Self.viewer, to: $0) == .allowed }
        }
        // One's own microphone is one's own to close.
        #expect(Set(allowed) == [.stopAudio, .stopVideo, .stopScreenShare, .read(.everybody), .vote, .viewPolls])
    }

    @Test("one's own sound and pictures are as the preset has them, and nobody turns on another's")
    func media() {
        #expect(signs(.speak, .oneself) == "++++p")
        #expect(signs(.show, .oneself) == "++++p")
        #expect(signs(.shareScreen, .oneself) == "+++pp")
        let stage = [Self.speaker]
        #expect(signs(.speak, .oneself, by: stage) + signs(.show, .oneself, by: stage) + signs(.shareScreen, .oneself, by: stage) == "??p")
        for act in [MeetingAct.speak, .show, .shareScreen] { #expect(signs(act, .other(Self.guest)) == "ttttt") }
        let audio = Self.seated(.host, .audioHost)
        #expect(signs(.show, .oneself, by: [audio]) == "p")
    }

    @Test("who may turn others off does so up to their own rank, everybody's too")
    func stopping() {
        for act in [MeetingAct.stopAudio, .stopVideo, .stopScreenShare] {
            #expect(signs(act, .oneself) == "+++++")
            #expect(signs(act, .all) == "++ppp")
            #expect(signs(act, .other(Self.guest)) == "++ppp")
            #expect(signs(act, .other(Self.coHost)) == "++ppp")
            #expect(signs(act, .other(Self.host)) == "+rppp")
            #expect(signs(act, .other(Self.waiting)) == "ooppp")
        }
    }

    @Test("nobody sends away or renames whoever is of their own rank or above")
    func ranks() {
        for act in [MeetingAct.kick, .rename] {
            #expect(signs(act, .other(Self.guest)) == "++ppp")
            #expect(signs(act, .other(Self.participant)) == "++ppp")
            #expect(signs(act, .other(Self.coHost)) == "+rppp")
            #expect(signs(act, .other(Self.host)) == "rrppp")
            #expect(signs(act, .all) == "ttttt")
        }
        #expect(signs(.kick, .oneself) == "ttttt")
        #expect(signs(.rename, .oneself) == "++ppp")
        #expect(signs(.muteChat, .other(Self.guest)) == "++ppp")
        #expect(signs(.muteChat, .other(Self.coHost)) == "+rppp")
    }

    @Test("a role is given up to one's own, to those below, and a host's by right to nobody")
    func roles() {
        let given = { (role: MeetingRole, one: Attendee) in signs(.giveRole(role), .other(one)) }
        #expect(given(.coHost, Self.participant) == "++ppp" && given(.coHost, Self.guest) == "++ppp")
        #expect(given(.viewer, Self.participant) == "++ppp")
        #expect(given(.participant, Self.coHost) == "+rppp")
        #expect(given(.participant, Self.host) == "rrppp")
        #expect(given(.host, Self.participant) == "rrppp")
        #expect(given(.participant, Self.waiting) == "ooppp")
        #expect(signs(.giveRole(.coHost), .oneself) == "ttttt")
    }

    @Test("who waits is let in or sent away by hosts, one by one or all")
    func door() {
        for act in [MeetingAct.admit, .reject] {
            #expect(signs(act, .other(Self.waiting)) == "++ppp")
            #expect(signs(act, .all) == "++ppp")
            #expect(signs(act, .other(Self.guest)) == "ttppp")
            #expect(signs(act, .oneself) == "ttppp")
        }
    }

    @Test("the meeting itself is its hosts', and its end that of hosts by right")
    func meeting() {
        for act in [MeetingAct.lock, .changeOptions, .moderateChat, .record, .createPoll, .runPlugins, .runRooms] {
            #expect(signs(act, .all) == "++ppp", "\(act)")
        }
        #expect(signs(.end, .all) == "+pppp")
        #expect(signs(.livestream, .all) == "ppppp")
        #expect(signs(.livestream, .all, by: [Self.seated(.host, .webinarHost), Self.seated(.participant, .webinarParticipant)]) == "+p")
        #expect(signs(.seeParticipants, .all) == "++++p")
        #expect(signs(.vote, .all) == "+++++" && signs(.viewPolls, .all) == "+++++")
        #expect(signs(.seePlugins, .all) == "+++pp")
        #expect(signs(.changeRoom, .oneself) == "+++pp")
        #expect(signs(.takeOnStage, .other(Self.guest)) == "++ppp")
        #expect(signs(.pin, .other(Self.guest)) == "+++pp" && signs(.spotlight, .other(Self.guest)) == "++ppp")
        #expect(signs(.lock, .other(Self.guest)) == "ttttt")
    }

    @Test("messages go where the preset lets them, to whom may have them, while there is a chat and nobody has taken the word")
    func chat() {
        func write(_ channel: MeetingAct.Channel, file: Bool = false) -> MeetingAct { .write(.init(to: channel, hasFile: file)) }
        #expect(signs(write(.everybody), .all) == "++++p")
        #expect(signs(write(.everybody, file: true), .all) == "+++pp")
        #expect(signs(write(.one), .other(Self.guest)) == "+++pp")
        #expect(signs(write(.one, file: true), .other(Self.participant)) == "+++pp")
        #expect(signs(write(.one), .other(Self.viewer)) == "tttpp", "whoever only watches has no private messages")
        #expect(signs(write(.one), .other(Self.waiting)) == "ooopp")
        #expect(signs(write(.one), .all) == "tttpp" && signs(write(.everybody), .other(Self.guest)) == "ttttp")
        #expect(signs(.read(.everybody), .all) == "+++++" && signs(.read(.one), .all) == "++++p")
        let off = Self.rules(chat: false)
        #expect(signs(write(.everybody), .all, off) == "oooop" && signs(.read(.everybody), .all, off) == "ooooo")
        let muted = [Self.seated(.participant, .videoParticipant, isChatMuted: true)]
        #expect(signs(write(.everybody), .all, by: muted) + signs(write(.one), .other(Self.host), by: muted) == "mm")
        #expect(signs(.read(.everybody), .all, by: muted) == "+")
    }

    /// Permissions that say what somebody is, and are held to elsewhere.
    private static let traits: Set<MeetingPermission> = [.hidden]

    @Test("each permission there is makes a difference for whoever has nothing else", arguments: MeetingPermission.allCases)
    func effects(_ permission: MeetingPermission) {
        let bare = MeetingPermissions(audio: .denied, video: .denied, screenShare: .denied, waiting: .skip, allowed: [])
        var some = bare
        some.allowed = [permission]
        let targets = [MeetingTarget.all, .oneself, .other(Self.guest), .other(Self.waiting)]
        func allowed(_ permissions: MeetingPermissions) -> [String] {
            let actor = Attendee(role: .participant, permissions: permissions)
            return MeetingAct.all.flatMap { act in
                targets.filter { Self.rules().ruling(on: act, by: actor, to: $0) == .allowed }.map { "\(act) \($0)" }
            }
        }
        #expect((allowed(some).count > allowed(bare).count) != Self.traits.contains(permission), "\(permission)")
    }
}
