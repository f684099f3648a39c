import Glibc
import HTTP
import Posix
import Web
import Wire

/// The web application, from the folder that `ci/dashboard` makes: `index.html` for every address that may be a page of it, and in
/// `assets/` files with their content's hash in their names, each with a packed one, NAME.gz, beside it.
struct DashboardFiles: Sendable {
    let folder: String

    /// Whether a path that no route has is the application's to answer.
    static func serves(_ path: String) -> Bool { path != "/api" && !path.hasPrefix("/api/") }

    /// - Throws: `Problem` for an asset that is not there, or a folder that is not.
    func answer(_ head: RequestHead) throws -> Response {
        guard head.method == .get || head.method == .head else {
            var response = Gateway.response(to: Problem(.methodNotAllowed))
            response.headers.add("allow", "GET, HEAD")
            return response
        }
        var parts = head.path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        if parts.last == "" { parts.removeLast() }
        if parts.first == "app" { return Response(Status(code: 308), headers: ["Location": Self.moved(parts.dropFirst(), head)]) }
        guard parts.first == "assets" else {
            guard parts.allSatisfy(Self.isName) else { throw absent(head) }
            return try page(head)
        }
        guard parts.count == 2, let name = parts.last, let type = Self.type(of: name) else { throw absent(head) }
        // Their names change with their content: what a browser has once it never asks for again.
        guard let response = try file("assets/\(name)", type, "public, max-age=31536000, immutable", head) else { throw absent(head) }
        return response
    }

    /// Whatever the address within it: the application itself reads it.
    private func page(_ head: RequestHead) throws -> Response {
        guard let response = try file("index.html", "text/html; charset=utf-8", "no-cache", head) else {
            throw Problem(
                .notFound, "the web application is not in \(folder): make it with ci/dashboard, or name its folder as server.dashboard")
        }
        return response
    }

    /// Where a page is that lay below `/app/`: bookmarks and mails of before have such addresses. What no page of ours was called leads home,
    /// as it could lead to another host.
    private static func moved(_ parts: ArraySlice<Substring>, _ head: RequestHead) -> String {
        guard parts.count <= 4, parts.allSatisfy(isName) else { return "/" }
        let first = parts.first.flatMap { administration[$0] }.map { "admin/\($0)" }
        let path =
            "/" + ([first ?? parts.first.map(String.init)].compactMap { $0 } + parts.dropFirst().map(String.init)).joined(separator: "/")
        let isPlain = { (byte: UInt8) in isLetter(byte) || [UInt8(ascii: "="), UInt8(ascii: "&"), UInt8(ascii: "-")].contains(byte) }
        guard let query = head.rawQuery, query.utf8.count <= 200, query.utf8.allSatisfy(isPlain) else { return path }
        return "\(path)?\(query)"
    }

    /// What lies below `/admin/` now. `/health` is of load balancers.
    private static let administration: [Substring: Substring] = [
        "enrollment": "enrollment", "members": "members", "organization": "organization", "pool": "pool", "webhooks": "webhooks",
        "health": "diagnostics", "audit": "audit",
    ]

    private static func isLetter(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }

    /// Of a part of a page's address; nothing else is a page, so that whoever looks for `/.env` is told that there is none.
    private static func isName(_ part: Substring) -> Bool {
        (1...64).contains(part.utf8.count) && part.utf8.allSatisfy { isLetter($0) || $0 == UInt8(ascii: "-") }
    }

    private func absent(_ head: RequestHead) -> Problem { Problem(.notFound, "there is no \(head.path.bounded(to: 200))") }

    /// - Returns: nil where it is no regular file of the folder; a link counts as none.
    private func file(_ name: String, _ type: String, _ keeping: String, _ head: RequestHead) throws -> Response? {
        let isPacked = ContentCoding.choose(head.headers) == .gzip
        let body: FileBody
        var headers: Headers = ["Content-Type": type, "Cache-Control": keeping, "Vary": "Accept-Encoding"]
        if isPacked, let packed = try open(name + ".gz") {
            body = packed
            headers.add("Content-Encoding", "gzip")
        } else if let plain = try open(name) {
            body = plain
        } else {
            return nil
        }
        // The two have tags of their own: they are two files.
        if let tag = body.entityTag() { headers.add("ETag", tag) }
        return Response(.ok, headers: headers, body: .file(body))
    }

    private func open(_ name: String) throws -> FileBody? {
        do {
            return try FileBody(adopting: Folder(folder).open(name), name: name)
        } catch let error as SystemError {
            guard Self.absences.contains(error.code) else { throw error }
            return nil
        }
    }

    /// It is not there, is a link, leads out, or is no file (`Folder.open`).
    static let absences: Set<CInt> = [ENOENT, ENOTDIR, ELOOP, EXDEV, EINVAL, EISDIR]

    /// nil for what no file of ours is called.
    private static func type(of name: Substring) -> String? {
        guard name.utf8.count <= 100, name.first != ".",
            name.utf8.allSatisfy({ isLetter($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") })
        else { return nil }
        return [
            "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml", "png": "image/png",
        ][name.split(separator: ".").last.map(String.init) ?? ""]
    }
}
