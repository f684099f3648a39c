import Crypto
package import Units

/// What an organisation's blobs are for, and who reads them (STO-07). The raw value is the name of a folder and a part of addresses;
/// once shipped it is never changed.
package enum BlobArea: String, Sendable, Hashable, CaseIterable {
    /// Logo and icon: pages show them before anybody has signed in.
    case branding
    /// Pictures of people.
    case avatars

    package enum Reading: Sendable, Hashable {
        case anybody
        /// Whoever has an address that is signed for it.
        case signed
    }

    package var reading: Reading {
        switch self {
        case .branding: .anybody
        case .avatars: .signed
        }
    }

    /// Of one of them.
    package var mostBytes: Int {
        switch self {
        case .branding: 96 << 10
        case .avatars: 48 << 10
        }
    }

    /// Points on a side; decoded a picture takes four bytes for each point.
    package var mostPoints: Int {
        switch self {
        case .branding: 2048
        case .avatars: 512
        }
    }
}

/// Where a blob lies: `org/ORGANIZATION/AREA/DIGEST.KIND`. Its name is its content's, so that what is under a name never changes.
package struct BlobKey: Sendable, Hashable, CustomStringConvertible {
    package let organization: OrganizationID
    package let area: BlobArea
    /// SHA-256 of its bytes, 64 hexadecimal digits in lower case.
    package let digest: String
    package let kind: PictureFile.Kind

    package init(_ bytes: [UInt8], _ kind: PictureFile.Kind, in area: BlobArea, of organization: OrganizationID) {
        self.organization = organization
        self.area = area
        self.kind = kind
        digest = Hex.encode(SHA256.hash(bytes))
    }

    /// - Parameter name: as `name` has it; nil for everything else, however it is written.
    package init?(_ name: String, in area: BlobArea, of organization: OrganizationID) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 2 * SHA256.byteCount, let kind = PictureFile.Kind(rawValue: String(parts[1])),
            parts[0].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (97...102).contains($0) })
        else { return nil }
        self.organization = organization
        self.area = area
        self.kind = kind
        digest = String(parts[0])
    }

    package var name: String { "\(digest).\(kind.rawValue)" }
    /// Below the folder of all blobs.
    package var path: String { "\(Self.folder(of: organization, area))/\(name)" }
    package var description: String { path }

    static func folder(of organization: OrganizationID, _ area: BlobArea) -> String { "org/\(organization)/\(area.rawValue)" }
}
