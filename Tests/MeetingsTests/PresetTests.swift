import Foundation
import Testing
import Wire

@testable import Meetings

@Suite("A preset")
struct PresetTests {
    /// What a preset says, in the order audio, video, screen share, waiting, plugins, breakout; and what it allows.
    private typealias Line = (
        name: PresetName, media: [MediaPermission], waiting: WaitingRule, plugins: PluginAccess, breakout: BreakoutAccess,
        allowed: Set<MeetingPermission>
    )

    private static let host: Set<MeetingPermission> = [
        .kick, .pin, .spotlight, .disableAudio, .disableVideo, .disableScreenShare, .admit, .acceptProduction, .changePermissions, .record,
        .rename, .seeParticipants, .receivePublic, .sendPublicText, .sendPublicFiles, .receivePrivate, .sendPrivateText, .sendPrivateFiles,
        .createPolls, .vote, .viewPolls,
    ]
    private static let participant: Set<MeetingPermission> = [
        .pin, .seeParticipants, .receivePublic, .sendPublicText, .sendPublicFiles, .receivePrivate, .sendPrivateText, .sendPrivateFiles,
        .vote, .viewPolls,
    ]
    private static let guest: Set<MeetingPermission> = [
        .seeParticipants, .receivePublic, .sendPublicText, .receivePrivate, .vote, .viewPolls,
    ]
    private static let stage: Set<MeetingPermission> = [
        .pin, .seeParticipants, .receivePublic, .sendPublicText, .receivePrivate, .vote, .viewPolls,
    ]
    private static let viewer: Set<MeetingPermission> = [.receivePublic, .vote, .viewPolls]

    /// Written out a second time on purpose (MTG-28 to 33).
    private static let table: [Line] = [
        (.videoHost, [.allowed, .allowed, .allowed], .skip, .full, .full, host),
        (.videoParticipant, [.allowed, .allowed, .allowed], .untilHost, .view, .move, participant),
        (.videoGuest, [.allowed, .allowed, .denied], .untilAdmitted, .none, .none, guest),
        (.audioHost, [.allowed, .denied, .allowed], .skip, .full, .full, host),
        (.audioParticipant, [.allowed, .denied, .denied], .untilHost, .view, .move, participant),
        (.audioGuest, [.allowed, .denied, .denied], .untilAdmitted, .none, .none, guest),
        (.webinarHost, [.allowed, .allowed, .allowed], .skip, .full, .full, host.union([.livestream])),
        (.webinarParticipant, [.onRequest, .onRequest, .denied], .untilHost, .none, .none, stage),
        (.webinarGuest, [.onRequest, .onRequest, .denied], .untilAdmitted, .none, .none, guest),
        (.webinarViewer, [.denied, .denied, .denied], .skip, .none, .none, viewer),
        (.livestreamHost, [.allowed, .allowed, .allowed], .skip, .full, .full, host.union([.livestream])),
        (.livestreamParticipant, [.onRequest, .onRequest, .denied], .untilHost, .none, .none, stage),
        (.livestreamViewer, [.denied, .denied, .denied], .skip, .none, .none, viewer),
    ]

    @Test("says of each permission there is what its table says")
    func permissions() {
        #expect(Self.table.map(\.name) == PresetName.allCases && Preset.all.map(\.name) == PresetName.allCases)
        for line in Self.table {
            let permissions = Preset(line.name).permissions
            #expect([permissions.audio, permissions.video, permissions.screenShare] == line.media, "\(line.name)")
            #expect(permissions.waiting == line.waiting && permissions.plugins == line.plugins, "\(line.name)")
            #expect(permissions.breakout == line.breakout && permissions.recorder == .none, "\(line.name)")
            #expect(permissions.allowed == line.allowed, "\(line.name): \(permissions.allowed.symmetricDifference(line.allowed))")
            #expect(permissions.mayPublish == (line.media != [.denied, .denied, .denied]), "\(line.name)")
            #expect("\(line.name.rawValue)" == "\(line.name.type.rawValue)_\(line.name.role.rawValue)")
        }
    }

    @Test("is the same when it is written and read, and equal ones are equal texts")
    func coding() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        for preset in Preset.all {
            let text = try encoder.encode(preset)
            #expect(try JSONDecoder().decode(Preset.self, from: text) == preset)
            var other = preset.permissions
            other.allowed = Set(preset.permissions.allowed.sorted().reversed())
            #expect(try encoder.encode(other) == encoder.encode(preset.permissions))
        }
    }

    /// Who comes, and what they are in a meeting of video, audio, a webinar and a livestream.
    private static let seats: [(comer: Comer, hostsRunAll: Bool, role: [MeetingRole])] = [
        (.user(.owner, isCreator: false), false, [.host, .host, .host, .host]),
        (.user(.owner, isCreator: true), false, [.host, .host, .host, .host]),
        (.user(.admin, isCreator: false), false, [.host, .host, .host, .host]),
        (.user(.admin, isCreator: true), true, [.host, .host, .host, .host]),
        (.user(.host, isCreator: true), false, [.host, .host, .host, .host]),
        (.user(.host, isCreator: true), true, [.host, .host, .host, .host]),
        (.user(.host, isCreator: false), false, [.participant, .participant, .participant, .participant]),
        (.user(.host, isCreator: false), true, [.coHost, .coHost, .coHost, .coHost]),
        (.user(.member, isCreator: false), false, [.participant, .participant, .participant, .participant]),
        (.user(.member, isCreator: false), true, [.participant, .participant, .participant, .participant]),
        (.user(.member, isCreator: true), true, [.participant, .participant, .participant, .participant]),
        (.guest(preset: nil), false, [.guest, .guest, .viewer, .viewer]),
        (.guest(preset: nil), true, [.guest, .guest, .viewer, .viewer]),
        // A link makes more of a guest in its own type alone, and a host of nobody.
        (.guest(preset: .webinarGuest), false, [.guest, .guest, .guest, .viewer]),
        (.guest(preset: .videoParticipant), false, [.participant, .guest, .viewer, .viewer]),
        (.guest(preset: .videoHost), true, [.guest, .guest, .viewer, .viewer]),
        (.guest(preset: .livestreamHost), true, [.guest, .guest, .viewer, .viewer]),
    ]

    @Test("is found by who comes and to what kind of meeting")
    func resolution() {
        for line in Self.seats {
            for (type, role) in zip(MeetingType.allCases, line.role) {
                let seat = Seat(of: line.comer, in: type, hostsRunAll: line.hostsRunAll)
                #expect(seat.role == role, "\(line.comer) in \(type)")
                #expect(seat.preset == PresetName(of: type, for: role) && seat.isGuest == line.comer.isGuest)
            }
        }
    }

    @Test("is none where a type has no such role")
    func missing() {
        let none = MeetingType.allCases.flatMap { type in
            MeetingRole.allCases.filter { PresetName(of: type, for: $0) == nil }.map { "\(type) \($0)" }
        }
        #expect(none == ["video viewer", "audio viewer", "livestream guest"])
        #expect(Seat(.viewer, in: .video, isGuest: true) == nil)
        #expect(Seat(.coHost, in: .webinar, isGuest: false)?.preset == .webinarHost)
    }

    @Test("a meeting is run from outside by its creator, who is a host still, and by admins")
    func ownership() {
        let runs = Role.allCases.flatMap { role in
            [false, true].filter { MeetingOwnership.runs(role, isCreator: $0) }.map { "\(role) \($0)" }
        }
        #expect(runs == ["owner false", "owner true", "admin false", "admin true", "host true"])
    }
}
