import SQLite
import Units
package import Wire

/// What an organisation's outputs show while a sender is silent: its own picture, where it has one.
package struct Slates: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    package func find() async throws -> OwnPicture? {
        let row = try await store.read { try $0.row(StoredSlate.self, in: scope, where: "TRUE") }
        // try?: what an older version took and this one would not is none.
        return row.flatMap { try? OwnPicture($0.picture) }
    }

    /// From the next broadcast on.
    package func replace(with picture: OwnPicture) async throws {
        try await store.write(.durable) { transaction in
            try transaction.delete(from: .slates, in: scope, where: "TRUE")
            try transaction.insert(into: .slates, in: scope, ["picture": picture.bytes, "changed_at": transaction.now])
            let detail = "\(picture.kind.rawValue) \(picture.width)x\(picture.height), \(picture.bytes.count) bytes"
            try transaction.note(.slateChanged, scope.organization.text, detail: detail, in: scope)
        }
    }

    /// - Throws: `.missing` where there is none.
    package func remove() async throws {
        try await store.write(.durable) { transaction in
            guard try transaction.delete(from: .slates, in: scope, where: "TRUE") == 1 else { throw StoreError.missing("slate") }
            try transaction.note(.slateRemoved, scope.organization.text, in: scope)
        }
    }
}

private struct StoredSlate: OrganizationRow {
    let picture: [UInt8]

    static var table: OrganizationTable { .slates }

    init(_ row: borrowing Row) throws { picture = try row["picture"] }
}

extension ControlStore {
    package func slates(in scope: OrganizationScope) -> Slates { Slates(store: self, scope: scope) }
}
