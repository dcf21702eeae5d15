drop procedure if exists truegrant_enum, truegrant_column, truegrant_generated, truegrant_constraint, truegrant_index;
