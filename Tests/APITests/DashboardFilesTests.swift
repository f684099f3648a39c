import Foundation
import HTTP
import Posix
import Testing
import Web
import Wire

@testable import API

@Suite("The web application's files")
struct DashboardFilesTests {
    @Test("whatever may be a page's address is the page, never kept unasked, and an asset is kept for good")
    func served() async throws {
        try await serving { site in
            for path in ["/", "/senders/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/login", "/admin/diagnostics/", "/no-such-page"] {
                let page = try await site.get(path)
                #expect(page.status == .ok && page.text == "<!doctype html>page", "\(path)")
                #expect(page.headers["Content-Type"] == "text/html; charset=utf-8" && page.headers["Cache-Control"] == "no-cache")
            }
            let script = try await site.get("/assets/app-AB12.js")
            #expect(script.text == "script" && script.headers["Content-Type"] == "text/javascript; charset=utf-8")
            #expect(script.headers["Cache-Control"] == "public, max-age=31536000, immutable")
        }
    }

    @Test("an address of before leads for good to where its page is now, and never to another host")
    func moved() async throws {
        try await serving { site in
            for (path, place) in [
                ("/app", "/"), ("/app/", "/"), ("/app/?organization=nord-licht", "/?organization=nord-licht"), ("/app/senders", "/senders"),
                ("/app/senders/01ARZ3NDEKTSV4RRFFQ69G5FAV/start", "/senders/01ARZ3NDEKTSV4RRFFQ69G5FAV/start"),
                ("/app/members", "/admin/members"), ("/app/health", "/admin/diagnostics"), ("/app/reset-password", "/reset-password"),
                // What no page was called.
                ("/app//evil.example", "/"), ("/app//evil", "/"), ("/app/index.html", "/"),
                ("/app/.hidden", "/"), ("/app/assets/app-AB12.js", "/"), ("/app/senders?x=//evil", "/senders"), ("/app/a/b/c/d/e", "/"),
                ("/app/senders?\(String(repeating: "a", count: 300))", "/senders"),
            ] {
                let answer = try await site.get(path)
                #expect(answer.status.code == 308 && answer.headers["Location"] == place, "\(path): \(answer.headers)")
            }
            for path in ["/app/%5cevil.example", "/app/%2F%2Fevil.example"] {
                let answer = try await site.get(path)
                #expect(answer.status == .badRequest || answer.headers["Location"] == "/", "\(path): \(answer.headers)")
            }
        }
    }

    @Test("the packed file is for those who take it, with a tag of its own, and HEAD is GET without its body")
    func representations() async throws {
        try await serving { site in
            let path = "/assets/app-AB12.js"
            let (plain, packed) = (try await site.get(path), try await site.get(path, ["Accept-Encoding": "br, gzip;q=0.5"]))
            #expect(plain.headers["Content-Encoding"] == nil && packed.headers["Content-Encoding"] == "gzip" && packed.text == "packed!")
            #expect(plain.headers["Vary"] == "Accept-Encoding" && packed.headers["Vary"] == "Accept-Encoding")
            let (tag, packedTag) = (try #require(plain.headers["ETag"]), try #require(packed.headers["ETag"]))
            #expect(tag != packedTag)
            // One that refuses gzip, and a file that was never packed.
            #expect(try await site.get(path, ["Accept-Encoding": "gzip;q=0"]).text == "script")
            #expect(try await site.get("/assets/app-CD34.css", ["Accept-Encoding": "gzip"]).text == "style")
            #expect(try await site.get(path, ["If-None-Match": tag]).status == .notModified)
            #expect(try await site.get(path, ["If-None-Match": tag, "Accept-Encoding": "gzip"]).status == .ok)
            let head = try await site.send(.head, path)
            #expect(head.status == .ok && head.headers["ETag"] == tag && head.headers["Content-Length"] == "6" && head.body.isEmpty)
            let post = try await site.send(.post, path)
            #expect(post.status == .methodNotAllowed && post.headers["Allow"] == "GET, HEAD")
        }
    }

    @Test("nothing else is reached: no way up, no link, no folder, no name that is none of ours")
    func outside() async throws {
        try await serving { site in
            try "secret".write(toFile: site.above + "/secret.js", atomically: true, encoding: .utf8)
            for (name, target) in [("link.js", site.above + "/secret.js"), ("away.js", "app-AB12.js")] {
                try FileManager.default.createSymbolicLink(atPath: "\(site.folder)/assets/\(name)", withDestinationPath: target)
            }
            try FileManager.default.createDirectory(atPath: site.folder + "/assets/sub.js", withIntermediateDirectories: false)
            for path in [
                "link.js", "away.js", "sub.js", "", "none.js", "sub.js/app.js", "/app-AB12.js", ".hidden.js", "app-AB12.js.gz",
                "a%20b.js", "app-AB12.exe", String(repeating: "a", count: 200) + ".js",
            ] {
                let answer = try await site.get("/assets/" + path)
                #expect(answer.status == .notFound && answer.text.contains("problems/not-found"), "\(path): \(answer.text)")
            }
            for path in [
                "/../secret.js", "/assets/../../secret.js", "/assets/%2e%2e/%2e%2e/secret.js", "/assets/..%2fsecret.js",
                "/assets/%2e%2e%5csecret.js",
            ] {
                let answer = try await site.get(path)
                #expect(answer.status == .badRequest, "\(path): \(answer.status)")
            }
            // What somebody looks for who knows other programs.
            for path in ["/.env", "/index.html", "/wp-login.php", "/.git/config", "/a//b", "/a%20b", "/%E2%80%AE"] {
                let answer = try await site.get(path)
                #expect(answer.status == .notFound && answer.text.contains("problems/not-found"), "\(path): \(answer.text)")
            }
            // The folder itself may be a link's target; what lies in it may not lead out of it.
            try FileManager.default.removeItem(atPath: site.folder + "/assets")
            try FileManager.default.createSymbolicLink(atPath: site.folder + "/assets", withDestinationPath: site.above)
            #expect(try await site.get("/assets/secret.js").status == .notFound)
        }
    }

    @Test("where the folder is not there, the answer says what to do")
    func absent() async throws {
        try await serving { site in
            try FileManager.default.removeItem(atPath: site.folder)
            let answer = try await site.get("/")
            #expect(answer.status == .notFound && answer.text.contains("ci/dashboard") && answer.text.contains("server.dashboard"))
        }
    }

    // MARK: Parts

    /// A folder as `ci/dashboard` makes it, served by a real server.
    private struct Site {
        let folder: String
        let above: String
        let address: SocketAddress
        let client: Client

        func send(_ method: HTTP.Method, _ path: String, _ headers: Headers = [:]) async throws -> ClientResponse {
            try await client.request(method, "http://\(address)\(path)", headers: headers)
        }

        func get(_ path: String, _ headers: Headers = [:]) async throws -> ClientResponse { try await send(.get, path, headers) }
    }

    private func serving(_ body: (Site) async throws -> Void) async throws {
        let above = NSTemporaryDirectory() + "dashboard-\(UUID().uuidString)"
        let folder = above + "/made"
        try FileManager.default.createDirectory(atPath: folder + "/assets", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: above) }
        for (name, text) in [
            ("index.html", "<!doctype html>page"), ("assets/app-AB12.js", "script"), ("assets/app-AB12.js.gz", "packed!"),
            ("assets/app-CD34.css", "style"), ("assets/.hidden.js", "hidden"),
        ] {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        let loop = try Loop(name: "dashboard")
        let files = DashboardFiles(folder: folder)
        let listener = Listener(try #require(SocketAddress("127.0.0.1", port: 0)))
        let server = Server(configuration: ServerConfiguration(listeners: [listener]), loops: [loop]) { request in
            do {
                return try files.answer(request.head)
            } catch {
                return Gateway.response(to: error as? Problem ?? Problem(.internalError, "\(error)"))
            }
        }
        let address = try await server.start()[0]
        let site = Site(folder: folder, above: above, address: address, client: Client(loop: loop, options: ClientOptions()))
        do {
            try await body(site)
        } catch {
            Issue.record(error)
        }
        await server.shutdown(grace: .zero)
        loop.stop()
    }
}

extension ClientResponse {
    fileprivate var text: String { String(decoding: body, as: UTF8.self) }
}
