/// The bounds of the protocol, the same on both sides.
package enum WireLimits {
    /// The version in every hello. A peer that offers another one is refused with both numbers in the reason.
    package static let version = 1
    /// A message larger than this closes its connection.
    package static let messageBytes = 256 * 1024
    /// Characters of a text field that comes from a peer, of four bytes each; the rest is cut.
    package static let textCharacters = 1000
    /// Entries of a list that comes from a device: links, inputs, modes, outputs.
    package static let listEntries = 256
    /// Modems of one board.
    package static let modems = 16
    /// Names and addresses of one pool host, which a board takes as one receiver's; the rest is cut.
    package static let publicAddresses = 16
    /// Entries of one `flight` message; the rest is cut.
    package static let flightEntries = 64
    /// Outputs of one broadcast: what its lease, with a secret of 512 bytes for each, and its reports leave room for in a message.
    package static let outputs = 64
    /// Of a picture that is shown in a silent sender's place: with its outputs a lease still is one message.
    package static let slateBytes = 96 * 1024
    /// Of a thumbnail's file, and of each of its sides in points.
    package static let thumbnailBytes = 24 * 1024
    package static let thumbnailSide = 320
    /// Of one part of a live preview: a key frame of 16 Mbit in one, or a quarter of a second of 64 Mbit/s.
    package static let previewBytes = 2 << 20
    /// What waits for somebody who watches, at most: one such part and something behind it.
    package static let previewMark = 5 << 19
    /// Files of takes in one list of a host, and takes on its disk that it names.
    package static let recordedFiles = 256
    package static let recordedTakes = 2000
    /// Of one take, whose sender may change what it sends as often as it likes: with its files it has a place in such a list.
    package static let takeFiles = 250
    /// Of a recording on its way from a host to control, at once.
    package static let recordingPiece = 1 << 20
    /// People in one room: each gets the tracks of all others in an offer that is one message.
    package static let participants = 100
    /// A message of a page in a room: an answer to an offer of many tracks.
    package static let roomMessageBytes = 128 * 1024
    /// How long a command may stay without its outcome before it is `unknown` and reconciled.
    package static let commandSeconds = 10
    /// The WebSocket close code by which control says that the device is revoked, for good: it ends what it does. Any other
    /// refusal (1008) leaves what is being sent alone.
    package static let revokedCloseCode = 4403
}
