import Crypto
import Foundation
import Support
import Testing

/// Files of organisations: who sends and reads them, and what becomes of them (THREATS 13).
@Suite(.serialized, .unlessStolen)
struct BrandingTests {
    private static let png = SlateUploadTests.png

    private func digest(_ bytes: [UInt8]) -> String { Hex.encode(SHA256.hash(bytes)) }

    /// Asks for an address for these bytes.
    private func sign(
        _ bytes: [UInt8], as kind: String = "png", at path: String = "/organization/branding/upload", by visitor: Visitor
    ) async throws -> Reply {
        try await visitor.post(path, #"{"sha256":"\#(digest(bytes))","kind":"\#(kind)","bytes":\#(bytes.count)}"#)
    }

    @Test(
        "a logo is sent to an address that is signed for it and its session, is read by anybody and run by nobody, and what else is sent there is refused",
        .row("SEC-18", "STO-04", "ORG-16"))
    func uploads() async throws {
        try await atFrontDesk { desk in
            let (owner, stranger) = (try await desk.owner(), try await desk.stranger())
            let signed = try await sign(Self.png, by: owner)
            let (url, name) = (try signed.text("url"), try signed.text("name"))
            let path = try #require(url.split(separator: "?").first.map(String.init))
            func put(_ url: String, _ bytes: [UInt8] = Self.png, _ type: String = "image/png", by visitor: Visitor) async throws -> Int {
                try await visitor.send("PUT", url, bytes, type: type).status
            }
            // Nobody's, another organisation's, another session's of the same user, and without or with another signature.
            let second = try await desk.person("owner@example.org", desk.installation.ownerPassword)
            #expect(try await put(url, by: desk.visitor()) == 401)
            for visitor in [stranger, second] { #expect(try await put(url, by: visitor) == 422) }
            let query = try #require(url.split(separator: "?").last).split(whereSeparator: { "=&".contains($0) }).map(String.init)
            let (end, signature) = (try #require(Int(query[1])), query[3])
            for (end, signature) in [(end - 1, signature), (end + 1, signature), (end, String(repeating: "A", count: 43))] {
                #expect(try await put("\(path)?expires=\(end)&signature=\(signature)", by: owner) == 422)
            }
            #expect(try await put(path, by: owner) == 422)
            #expect(try await put(url, Self.png + [0], by: owner) == 422)
            #expect(try await put(url, Array(Self.png.dropLast()) + [0], by: owner) == 422)
            #expect(try await put(url, Self.png, "image/svg+xml", by: owner) == 415)
            #expect(try await desk.visitor().get(path).status == 404)

            #expect(try await put(url, by: owner) == 204)
            #expect(try await put(url, by: owner) == 204, "the same again is the same")
            let read = try await desk.visitor().get(path)
            #expect(read.status == 200 && read.body == Self.png && read.headers["content-type"] == "image/png")
            #expect(read.headers.all("content-security-policy") == ["default-src 'none'; sandbox; frame-ancestors 'none'"])
            #expect(read.headers["x-content-type-options"] == "nosniff")
            #expect(read.headers["content-disposition"]?.hasPrefix("attachment") == true)
            // What says that it is a picture and is none, though it is signed for.
            let script = Array("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".utf8)
            #expect(try await put(try await sign(script, by: owner).text("url"), script, by: owner) == 422)
            #expect(try await put(try await sign(Self.png, as: "webp", by: owner).text("url"), by: owner) == 422)
            #expect(try await sign(Self.png, as: "svg", by: owner).status == 422)

            // Another organisation shows none of ours, whatever it knows of it.
            #expect(try await stranger.send("PATCH", "/organization/branding", #"{"logo":"\#(name)"}"#).status == 422)
            let branded = try await owner.send("PATCH", "/organization/branding", ##"{"logo":"\##(name)","brand":"#aa3300"}"##)
            #expect(try branded.status == 200 && branded.text("logo") == path)
            let own = try await owner.get("/organization").object()["branding"] as? [String: Any]
            #expect(own?["logo"] as? String == path && own?["brand"] as? String == "#AA3300")
            #expect(try await stranger.get("/organization").object()["branding"] == nil)
            #expect(try !desk.said.contains("signature="))
            let unreadable = try await owner.send("PATCH", "/organization/branding", ##"{"background":"#808080"}"##)
            #expect(try unreadable.status == 422 && unreadable.fields == ["background"] && "\(unreadable)".contains("needs 4.5"))

            // With the organisation its files go: out of reach at once, and from the disk soon.
            let folder = desk.stage.folder["control/blobs/org"]
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
            let slug = try #require(try await owner.get("/organization").object()["slug"] as? String)
            let deletion = #"{"organization":"\#(slug)","password":"\#(desk.installation.ownerPassword)"}"#
            #expect(try await owner.send("DELETE", "/organization", deletion).status == 204)
            #expect(try await desk.visitor().get(path).status == 404)
            try await eventually(within: .seconds(10), "its folder is gone") {
                try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty
            }
        }
    }

    @Test(
        "a person's picture is read by an address that is signed for it and by nothing else, where a logo is read by its own",
        .row("STO-07"))
    func avatars() async throws {
        try await atFrontDesk { desk in
            let (owner, stranger) = (try await desk.owner(), try await desk.stranger())
            let signed = try await sign(Self.png, at: "/auth/me/avatar", by: owner)
            #expect(try await owner.send("PUT", signed.text("url"), Self.png, type: "image/png").status == 204)
            let name = try signed.text("name")
            #expect(try await stranger.send("PATCH", "/auth/me", #"{"avatar":"\#(name)"}"#).status == 422, "it is another organisation's")
            // A person's picture is no logo, whatever it is called.
            #expect(try await owner.send("PATCH", "/organization/branding", #"{"logo":"\#(name)"}"#).status == 422)
            let address = try await owner.send("PATCH", "/auth/me", #"{"avatar":"\#(name)"}"#).text("avatar")
            let read = try await desk.visitor().get(address)
            #expect(read.status == 200 && read.body == Self.png && read.headers["cache-control"] == "private, max-age=300")
            let path = try #require(address.split(separator: "?").first.map(String.init))
            // That which it was sent by is for sending alone.
            let written = try signed.text("url").split(separator: "?").last.map(String.init) ?? ""
            for other in [path, "\(path)?\(written)", address.replacingOccurrences(of: "avatars", with: "branding")] {
                #expect(try await owner.get(other).status == 404, "\(other)")
            }
            #expect(try await owner.get("/auth/me").text("avatar").hasPrefix(path))
            let gone = try await owner.send("PATCH", "/auth/me", #"{"avatar":""}"#)
            #expect(try gone.object()["avatar"] == nil)
        }
    }
}
