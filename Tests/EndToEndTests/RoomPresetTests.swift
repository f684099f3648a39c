import Foundation
import Support
import Testing
import Units
import Wire

/// What people are in each kind of meeting, and what of it the server holds to, whatever their pages offer.
@Suite(.serialized, .unlessStolen)
struct RoomPresetTests {
    private static let ofGuests: Set<MeetingPermission> = [
        .seeParticipants, .receivePublic, .sendPublicText, .receivePrivate, .vote, .viewPolls,
    ]
    private static let ofParticipants = ofGuests.union([.pin, .sendPublicFiles, .sendPrivateText, .sendPrivateFiles])
    private static let ofHosts = Set(MeetingPermission.allCases).subtracting([.hidden, .livestream])
    private static let ofViewers: Set<MeetingPermission> = [.receivePublic, .vote, .viewPolls]

    /// Their sound, their camera, their screen, and what else they may.
    private static let table: [PresetName: (media: [MediaPermission], allowed: Set<MeetingPermission>)] = [
        .videoHost: ([.allowed, .allowed, .allowed], ofHosts),
        .videoParticipant: ([.allowed, .allowed, .allowed], ofParticipants),
        .videoGuest: ([.allowed, .allowed, .denied], ofGuests),
        .audioHost: ([.allowed, .denied, .allowed], ofHosts),
        .audioParticipant: ([.allowed, .denied, .denied], ofParticipants),
        .audioGuest: ([.allowed, .denied, .denied], ofGuests),
        .webinarHost: ([.allowed, .allowed, .allowed], ofHosts.union([.livestream])),
        .webinarParticipant: ([.onRequest, .onRequest, .denied], ofGuests.union([.pin])),
        .webinarGuest: ([.onRequest, .onRequest, .denied], ofGuests),
        .webinarViewer: ([.denied, .denied, .denied], ofViewers),
        .livestreamHost: ([.allowed, .allowed, .allowed], ofHosts.union([.livestream])),
        .livestreamParticipant: ([.onRequest, .onRequest, .denied], ofGuests.union([.pin])),
        .livestreamViewer: ([.denied, .denied, .denied], ofViewers),
    ]

    /// What hosts, participants and guests are there.
    private static let kinds: [(type: String, host: PresetName, participant: PresetName, guest: PresetName)] = [
        ("video", .videoHost, .videoParticipant, .videoGuest), ("audio", .audioHost, .audioParticipant, .audioGuest),
        ("webinar", .webinarHost, .webinarParticipant, .webinarViewer),
        ("livestream", .livestreamHost, .livestreamParticipant, .livestreamViewer),
    ]

    @Test(
        "in each kind of meeting everybody is what their role makes of them, does that and no more, and sends nothing else whatever they offer",
        .row("MTG-25", "MTG-26", "MTG-28", "MTG-29", "MTG-30", "MTG-31", "ROM-26"))
    func rights() async throws {
        try await inRooms { desk, owner in
            let admin = try await user(.admin, of: owner, at: desk).0
            let host = try await user(.host, of: owner, at: desk).0
            let member = try await user(.member, of: owner, at: desk).0
            let second = #"{"email":"second@example.org","displayName":"second","role":"host","password":"a long password"}"#
            #expect(try await owner.post("/users", second).status == 201)
            let other = try await desk.person("second@example.org", "a long password")
            for kind in Self.kinds {
                let body = #"{"title":"Talk","type":"\#(kind.type)","settings":{"guestAccess":"open"}}"#
                let made = try await host.post("/meetings", body)
                let talk = Talk(desk: desk, owner: owner, id: try made.text("id"), slug: try made.text("slug"))
                let creator = try await talk.member(host)
                var all = [(creator, kind.host), (try await talk.host(), kind.host), (try await talk.member(admin), kind.host)]
                for comer in [other, member] { all.append((try await talk.member(comer), kind.participant)) }
                all.append((try await talk.guest("Gina"), kind.guest))
                // Somebody from outside who was asked to speak.
                if kind.type == "webinar" { all.append((try await speaker(of: talk), .webinarGuest)) }
                for (page, preset) in all { try await check(page, preset, beside: creator) }
                #expect(try await host.post("/meetings/\(talk.id)/end").status == 200)
            }
        }
    }

    private func speaker(of talk: Talk) async throws -> SeatedPage {
        let link = try await talk.owner.post("/meetings/\(talk.id)/guest-links", #"{"label":"Speaker","preset":"webinar_guest"}"#)
        let token = try #require(try link.text("url").split(separator: "=").last)
        let body = #"{"slug":"\#(talk.slug)","token":"\#(token)","name":"Speaker"}"#
        return try await SeatedPage(at: talk.desk, try await talk.desk.visitor().post("/join/guest", body))
    }

    /// - Parameter host: one of the meeting's.
    private func check(_ page: SeatedPage, _ preset: PresetName, beside host: SeatedPage) async throws {
        let (rights, line) = (try #require(page.rights), try #require(Self.table[preset]))
        #expect(rights.preset == preset && rights.role == preset.role)
        #expect([rights.audio, rights.video, rights.screenShare] == line.media, "\(preset)")
        #expect(Set(rights.allowed) == line.allowed, "\(preset): \(Set(rights.allowed).symmetricDifference(line.allowed))")
        for (offer, permission) in zip(Self.offers, line.media) {
            try await expect(page, .publish(offer), isAllowed: permission == .allowed, "\(preset), \(offer.tracks)")
        }
        let isHost = preset.role == .host
        try await expect(page, .rename(RoomRename(name: "Somebody else")), isAllowed: isHost, "\(preset)")
        try await expect(page, .lock(RoomSwitch(isOn: false)), isAllowed: isHost, "\(preset)")
        let (mayWrite, mayWhisper) = (line.allowed.contains(.sendPublicText), line.allowed.contains(.sendPrivateText))
        try await expect(page, .say(RoomSaying(text: "to all")), isAllowed: mayWrite, "\(preset)")
        if page.id != host.id { try await expect(page, .say(RoomSaying(text: "psst", to: host.id)), isAllowed: mayWhisper, "\(preset)") }
    }

    private func expect(_ page: SeatedPage, _ order: RoomOrder, isAllowed: Bool, _ who: String) async throws {
        let expected: RoomRefused.Reason? = isAllowed ? nil : .forbidden
        let refusal = try await page.refusal(order)
        #expect(refusal == expected, "\(who): \(order.type)")
    }

    /// Sound alone, a camera with it, and a screen in the camera's place.
    private static let offers: [RoomPublication] = {
        let both = RoomDoors.offer("sendonly")
        let microphone = RoomTrackSource(mid: "0", source: .microphone)
        let sound = (both.components(separatedBy: "m=video").first ?? "").replacingOccurrences(of: "BUNDLE 0 1", with: "BUNDLE 0")
        return [
            RoomPublication(offer: sound, tracks: [microphone]),
            RoomPublication(offer: both, tracks: [microphone, RoomTrackSource(mid: "1", source: .camera)]),
            RoomPublication(offer: both, tracks: [microphone, RoomTrackSource(mid: "1", source: .screen)]),
        ]
    }()
}
