call truegrant_enum('code_challenge_method', 's256', 'plain');
