import Foundation
import Support
import Testing
import Wire

/// Meetings, from their making to their end, with those who come to them.
extension DescriptionTests {
    func meetings(_ api: DescribedAPI, _ desk: FrontDesk, _ owner: Visitor) async throws {
        let time = "2099-01-01T00:00:00.000Z"
        let made = try await api.call(
            "POST /meetings", [],
            #"{"title":"Talk","description":"All of us","type":"webinar","scheduledStart":"\#(time)","settings":{"guestAccess":"open"}}"#,
            by: owner)
        let id = try made.text("id")
        let change = #"{"title":"A talk","scheduledEnd":"2099-01-01T01:00:00.000Z","settings":{"waitingRoom":true,"maxParticipants":5}}"#
        try await api.call("PATCH /meetings/{id}", [id], change, by: owner)
        let link = try await api.call(
            "POST /meetings/{id}/guest-links", [id], #"{"label":"Speaker","preset":"webinar_guest","uses":2}"#, by: owner)
        try await api.call("GET /meetings/{id}/guest-links", [id], by: owner)
        let token = try #require(try link.text("url").split(separator: "=").last)
        let lookup = #"{"slug":"\#(try made.text("slug"))","organization":"first","token":"\#(token)"}"#
        let door = try await api.call("POST /join/lookup", [], lookup, by: desk.visitor())
        #expect(try door.text("title") == "A talk" && door.text("preset") == "webinar_guest")
        try await api.call("DELETE /meetings/{id}/guest-links/{link}", [id, link.text("id")], by: owner)
        try await api.call("POST /meetings/{id}/start", [id], by: owner)
        try await guests(api, desk, owner, id, try made.text("slug"))
        try await written(api, desk, owner, id)
        for route in ["GET /meetings/{id}", "POST /meetings/{id}/end", "POST /meetings/{id}/cancel"] {
            try await api.call(route, [id], by: owner)
        }
        for route in ["GET /meetings", "GET /meeting-presets", "GET /organization/meeting-settings"] {
            try await api.call(route, by: owner)
        }
        let defaults = #"{"settings":{"guestAccess":"link_only","waitingRoom":true},"locked":["waitingRoom"]}"#
        try await api.call("PUT /organization/meeting-settings", [], defaults, by: owner)
    }

    /// Somebody was there and has written something.
    private func written(_ api: DescribedAPI, _ desk: FrontDesk, _ owner: Visitor, _ id: String) async throws {
        let host = try await SeatedPage(at: desk, try await owner.post("/meetings/\(id)/join"))
        #expect(try await host.refusal(.say(RoomSaying(text: "hello"))) == nil)
        try await eventually(within: .seconds(5), "it is kept") { try await owner.get("/meetings/\(id)/chat").items().count == 1 }
        for route in ["GET /meetings/{id}/chat", "GET /meetings/{id}/events"] { try await api.call(route, [id], by: owner) }
    }

    /// One who is let in, and one who is not; and a host.
    private func guests(_ api: DescribedAPI, _ desk: FrontDesk, _ owner: Visitor, _ id: String, _ slug: String) async throws {
        #expect(try await api.call("POST /meetings/{id}/join", [id], by: owner).text("preset") == "webinar_host")
        try await api.call("GET /diagnostics/meetings", by: owner)
        let link = try await owner.post("/meetings/\(id)/guest-links", #"{"label":"Speakers","preset":"webinar_guest","uses":2}"#)
        let token = try #require(try link.text("url").split(separator: "=").last)
        var asks: [String] = []
        for name in ["Gina", "Hans"] {
            let body = #"{"slug":"\#(slug)","token":"\#(token)","name":"\#(name)"}"#
            let knock = try await api.call("POST /join/guest", [], body, by: desk.visitor())
            asks.append(#"{"token":"\#(try knock.text("waiting"))"}"#)
        }
        let waiting = try await api.call("GET /meetings/{id}/waiting", [id], by: owner).items().compactMap { $0["id"] as? String }
        #expect(waiting.count == 2)
        try await api.call("POST /meetings/{id}/waiting/{guest}/admit", [id, waiting[0]], by: owner)
        try await api.call("DELETE /meetings/{id}/waiting/{guest}", [id, waiting[1]], by: owner)
        try await api.call("POST /meetings/{id}/waiting/admit", [id], by: owner)
        for (ask, state) in zip(asks, ["enters", "refused"]) {
            #expect(try await api.call("POST /join/waiting", [], ask, by: desk.visitor()).text("state") == state)
        }
    }
}
