package import Units

/// What belongs to a session of an organisation, by what it is for (decisions 10).
package enum SessionArea: String, Sendable, Hashable, CaseIterable {
    /// As it was captured, piece by piece.
    case chunks
    /// Of one participant each.
    case iso
    /// Of all in one picture.
    case composite
    /// Made of the others: pictures, waveforms, what is played.
    case derived
}

/// Where an object lies, on disk and in a bucket: `org/ORGANIZATION/AREA/NAME`, `org/ORGANIZATION/sessions/SESSION/NAME` and
/// `org/ORGANIZATION/sessions/SESSION/AREA/NAME`.
///
/// The paths are these and no others, of ASCII without anything that a file system or a URL takes for more than a character: no key leads
/// out of its organisation, none is hidden, and none is the folder of another.
package struct ObjectKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    package enum Place: Sendable, Hashable {
        case branding
        case avatars
        case exports
        /// nil: beside the areas, as `metadata.json` is.
        case session(ULID, SessionArea?)

        /// Below the organisation's.
        fileprivate var folder: String {
            switch self {
            case .branding: BlobArea.branding.rawValue
            case .avatars: BlobArea.avatars.rawValue
            case .exports: "exports"
            case .session(let session, let area): "sessions/\(session.text)" + (area.map { "/\($0.rawValue)" } ?? "")
            }
        }

        /// nil where there is no such place.
        fileprivate init?(_ folders: [String]) {
            switch (folders.first ?? "", folders.count) {
            case (BlobArea.branding.rawValue, 1): self = .branding
            case (BlobArea.avatars.rawValue, 1): self = .avatars
            case ("exports", 1): self = .exports
            case ("sessions", 2):
                guard let session = ULID(folders[1]) else { return nil }
                self = .session(session, nil)
            case ("sessions", 3):
                guard let session = ULID(folders[1]), let area = SessionArea(rawValue: folders[2]) else { return nil }
                self = .session(session, area)
            default: return nil
            }
        }
    }

    package let organization: OrganizationID
    package let place: Place
    package let name: String

    private static let mostName = 128

    /// - Parameter name: 1 to 128 letters, digits, dots, hyphens and underlines, the first of them a letter or a digit; nil for every
    ///   other.
    package init?(_ name: String, in place: Place, of organization: OrganizationID) {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, bytes.count <= Self.mostName, Self.isAlphanumeric(first),
            bytes.allSatisfy({ Self.isAlphanumeric($0) || [0x2D, 0x2E, 0x5F].contains($0) })
        else { return nil }
        // The name of a folder beside it.
        if case .session(_, nil) = place, SessionArea(rawValue: name) != nil { return nil }
        self.organization = organization
        self.place = place
        self.name = name
    }

    /// - Parameter path: as `path` has it; nil for everything else, however it is written.
    package init?(_ path: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 4, parts[0] == "org", let organization = OrganizationID(parts[1]),
            let place = Place(Array(parts[2..<(parts.count - 1)]))
        else { return nil }
        self.init(parts[parts.count - 1], in: place, of: organization)
    }

    /// A picture is an object like others.
    package init(_ key: BlobKey) {
        organization = key.organization
        switch key.area {
        case .branding: place = .branding
        case .avatars: place = .avatars
        }
        name = key.name
    }

    package var path: String { "\(folder)/\(name)" }
    package var description: String { path }

    /// Of its place, below the folder of all blobs.
    var folder: String { "org/\(organization)/\(place.folder)" }

    /// As stores list them: by their bytes.
    package static func < (left: ObjectKey, right: ObjectKey) -> Bool { left.path.utf8.lexicographicallyPrecedes(right.path.utf8) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}

/// What is listed: all of an organisation, or of one of its sessions, or of one place.
package struct ObjectPrefix: Sendable, Hashable, CustomStringConvertible {
    package let organization: OrganizationID
    /// Ends with a slash.
    package let path: String

    package init(of organization: OrganizationID) {
        self.organization = organization
        path = "org/\(organization)/"
    }

    /// - Parameter place: `.session(id, nil)` for all of a session, its areas too.
    package init(_ place: ObjectKey.Place, of organization: OrganizationID) {
        self.organization = organization
        path = "org/\(organization)/\(place.folder)/"
    }

    package var description: String { path }
}
