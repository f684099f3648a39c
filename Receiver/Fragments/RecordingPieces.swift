package import MPEGTS

/// An MP4 file without media, with which a file of a recording begins.
package struct RecordingBeginning: Sendable, Hashable {
    package let bytes: [UInt8]
    /// As of RFC 6381.
    package let codecs: String
    /// nil where there are no pictures.
    package let size: PictureSize?
    /// When the file begins, ticks of 90 kHz since the recording began: its own times count from there.
    package let zero: Int64
    /// Wall time, Unix milliseconds.
    package let atMs: Int64

    package init(bytes: [UInt8], codecs: String, size: PictureSize?, zero: Int64, atMs: Int64) {
        self.bytes = bytes
        self.codecs = codecs
        self.size = size
        self.zero = zero
        self.atMs = atMs
    }

    init(_ beginning: InitSegment, _ bytes: [UInt8], zero: Int64, atMs: Int64) {
        self.bytes = bytes
        self.zero = zero
        codecs = beginning.codecs
        size = beginning.pictures?.size
        self.atMs = atMs
    }
}

/// Half a second of a recording.
package struct RecordedFragment: Sendable, Hashable {
    package let bytes: [UInt8]
    /// Ticks of 90 kHz since the recording began.
    package let start: Int64
    package let duration: Int64
    /// Whoever begins with it has a picture at once.
    package let isKey: Bool

    package init(bytes: [UInt8], start: Int64, duration: Int64, isKey: Bool) {
        self.bytes = bytes
        self.start = start
        self.duration = duration
        self.isKey = isKey
    }

    init(_ fragment: Fragment, isPicturesExpected: Bool) {
        let run = fragment.pictures.isEmpty ? fragment.sound : fragment.pictures
        let first = run.samples.first?.decode ?? 0
        bytes = fragment.bytes
        start = first
        duration = run.last.map { max(0, $0.decode + $0.duration - first) } ?? 0
        isKey = fragment.pictures.samples.first.map(\.isKey) ?? !isPicturesExpected
    }
}
