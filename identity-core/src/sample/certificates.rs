//! Certificates of the sample world, fixed bytes: an authority whose key was thrown away, and what it certified.

/// The authority (P-256), PEM. Valid from 2025 to 2125.
pub const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBazCCARKgAwIBAgIUROCrMLkXokBWyMZfBKgS0dcGv/YwCgYIKoZIzj0EAwIw\n\
ITEfMB0GA1UEAwwWWGluZnUgc2FtcGxlIGF1dGhvcml0eTAgFw0yNTAxMDEwMDAw\n\
MDBaGA8yMTI1MDEwMTAwMDAwMFowITEfMB0GA1UEAwwWWGluZnUgc2FtcGxlIGF1\n\
dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCqm9JtmfiBs/gxrpn1I\n\
M730llzgZWjBgUrOGiUYn0S4gB0mOj6Lh8LJpVnT6wa3YeODWNTeutl3tIIuTL+r\n\
hM6jJjAkMA4GA1UdDwEB/wQEAwICBDASBgNVHRMBAf8ECDAGAQH/AgEAMAoGCCqG\n\
SM49BAMCA0cAMEQCIAkVeQoFnmezLEqI7zb96SatGxvbu/ShF4w+agGfABFtAiAv\n\
YnAJ6jaML/89x6FJxkUlE8ne1ZhX9zyVCpOQXuUkaA==\n\
-----END CERTIFICATE-----\n";

/// The certificate of the key that signs the requests of [`super::parties::Party`] 3, by that authority, PEM.
pub const ASKER: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBOTCB4aADAgECAhRlAOLF1c26O+Nj0vnErijDnELcBDAKBggqhkjOPQQDAjAh\n\
MR8wHQYDVQQDDBZYaW5mdSBzYW1wbGUgYXV0aG9yaXR5MCAXDTI1MDEwMTAwMDAw\n\
MFoYDzIxMjUwMTAxMDAwMDAwWjAeMRwwGgYDVQQDDBNYaW5mdSBzYW1wbGUgY2xp\n\
ZW50MCowBQYDK2VwAyEAE7Z7WoVOyEOvd06sZWzucOcCYCKzYoad2j0jebOzGnGj\n\
JzAlMA4GA1UdDwEB/wQEAwIHgDATBgNVHSUEDDAKBggrBgEFBQcDAjAKBggqhkjO\n\
PQQDAgNHADBEAiArHVZ7EMeC8qbzCref1oBjngrh3Gjp417yGhYvNDluMgIgGraM\n\
Z6w2VaNRffbQseNGM2Z27ZIM4iJTY5XmikgetzI=\n\
-----END CERTIFICATE-----\n";

/// A certificate of the same key that does not say what the key is for, PEM. Nobody accepts it.
pub const ASKER_WITHOUT_USAGE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBKzCB0aADAgECAhQ2p8G9vwIk0EwbM8WibgjngARYtzAKBggqhkjOPQQDAjAh\n\
MR8wHQYDVQQDDBZYaW5mdSBzYW1wbGUgYXV0aG9yaXR5MCAXDTI1MDEwMTAwMDAw\n\
MFoYDzIxMjUwMTAxMDAwMDAwWjAeMRwwGgYDVQQDDBNYaW5mdSBzYW1wbGUgY2xp\n\
ZW50MCowBQYDK2VwAyEAE7Z7WoVOyEOvd06sZWzucOcCYCKzYoad2j0jebOzGnGj\n\
FzAVMBMGA1UdJQQMMAoGCCsGAQUFBwMCMAoGCCqGSM49BAMCA0kAMEYCIQDoLRJc\n\
FkfnCG2kRzZU4rWCuilez8k6CCjclp1VoRjKSwIhAI7S25pzGB0mtvz4yTW5goxT\n\
dN64wwpS6peGtkcenyAD\n\
-----END CERTIFICATE-----\n";
