import Glibc
import HTTP
import Posix
import Web
import Wire

/// The web application, from the folder that `ci/dashboard` makes: `index.html` for every route of its own below `/app/`, and in
/// `assets/` files with their content's hash in their names, each with a packed one, NAME.gz, beside it.
struct DashboardFiles: Sendable {
    let folder: String

    static let root = "/app/"

    static func serves(_ path: String) -> Bool { path == "/app" || path.hasPrefix(root) }

    /// - Throws: `Problem` for an asset that is not there, or a folder that is not.
    func answer(_ head: RequestHead) throws -> Response {
        guard head.method == .get || head.method == .head else {
            var response = Gateway.response(to: Problem(.methodNotAllowed))
            response.headers.add("allow", "GET, HEAD")
            return response
        }
        guard head.path.hasPrefix(Self.root) else { return Response(Status(code: 308), headers: ["Location": Self.root]) }
        let parts = head.path.dropFirst(Self.root.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.first == "assets" else { return try page(head) }
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

    /// It is not there, is a link (openat2 with RESOLVE_NO_SYMLINKS), or no file.
    private static let absences: Set<CInt> = [ENOENT, ENOTDIR, ELOOP, EXDEV, EINVAL, EISDIR]

    /// nil for what no file of ours is called.
    private static func type(of name: Substring) -> String? {
        guard name.utf8.count <= 100, name.first != ".",
            name.utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 46 })
        else { return nil }
        return [
            "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml", "png": "image/png",
        ][name.split(separator: ".").last.map(String.init) ?? ""]
    }
}
